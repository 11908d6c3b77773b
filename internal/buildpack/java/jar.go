package java

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// resolver returns a function that finds the jar that runs by itself in one of dirs, which are patterns, tried in order.
func resolver(dirs ...string) func(fs.FS) (string, error) {
	return func(built fs.FS) (string, error) {
		for _, dir := range dirs {
			if found, _ := fs.Glob(built, dir+"/quarkus-app/quarkus-run.jar"); len(found) == 1 {
				return "java -Dquarkus.http.port=$PORT -Dquarkus.http.host=$HOST -jar " + found[0], nil
			}
			names, _ := fs.Glob(built, dir+"/*.jar")
			names = slices.DeleteFunc(names, func(name string) bool {
				return !runnableName.MatchString(name) || strings.HasPrefix(path.Base(name), "original-")
			})
			if line, err := choose(built, names); line != "" || err != nil {
				return line, err
			}
		}
		return "", aloft.Errorf(aloft.Invalid, "the build made no jar that runs by itself (one with a Main-Class)").
			WithHint("use the plugin that makes one (spring-boot-maven-plugin, maven-shade-plugin, Gradle's application or shadow), or add a Procfile with a web line")
	}
}

// runnableName keeps names that would mean something to a shell out of a command line.
var runnableName = regexp.MustCompile(`^[\w./+-]+\.jar$`)

// choose returns the command for the only runnable jar, "" if there is none. A fat jar is preferred to the thin one it was
// made from.
func choose(built fs.FS, names []string) (string, error) {
	var spring, plain []string
	for _, name := range names {
		manifest, err := readManifest(built, name)
		switch {
		case err != nil:
			return "", fmt.Errorf("read %s: %w", name, err)
		case manifest["Main-Class"] == "":
		case manifest["Start-Class"] != "" || manifest["Spring-Boot-Version"] != "":
			spring = append(spring, name)
		default:
			plain = append(plain, name)
		}
	}
	if len(spring) > 0 {
		plain = spring
	}
	switch {
	case len(plain) == 0:
		return "", nil
	case len(plain) > 1:
		return "", aloft.Errorf(aloft.Invalid, "the build made several jars that run by themselves: %s", strings.Join(plain, ", ")).
			WithHint("say which is the web server with a Procfile: \"web: java -jar %s\"", plain[0])
	case len(spring) > 0: // Spring Boot does not read PORT by itself
		return "java -Dserver.port=$PORT -Dserver.address=$HOST -jar " + plain[0], nil
	}
	return "java -jar " + plain[0], nil
}

// readManifest returns the main attributes of a jar.
func readManifest(built fs.FS, name string) (map[string]string, error) {
	file, err := built.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	at, ok := file.(io.ReaderAt)
	if !ok {
		data, err := io.ReadAll(file)
		if err != nil {
			return nil, err
		}
		at = bytes.NewReader(data)
	}
	archive, err := zip.NewReader(at, info.Size())
	if err != nil {
		return nil, err
	}
	manifest, err := archive.Open("META-INF/MANIFEST.MF")
	if err != nil {
		return nil, nil // a jar need not have one; then it does not run
	}
	defer manifest.Close()
	text, err := io.ReadAll(io.LimitReader(manifest, 1<<20))
	return attributes(string(text)), err
}

// attributes parses a manifest's main section. A line that begins with a space continues the one before.
func attributes(text string) map[string]string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n ", "")
	main, _, _ := strings.Cut(text, "\n\n")
	all := map[string]string{}
	for line := range strings.Lines(main) {
		if key, value, ok := strings.Cut(line, ":"); ok {
			all[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return all
}
