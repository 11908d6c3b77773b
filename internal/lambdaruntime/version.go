package lambdaruntime

import (
	"encoding/json"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// PythonVersion is where a build notes which Python installed the packages, such as "3.13".
const PythonVersion = ".python_packages/.python-version"

// ForTree is the runtime of a family that an artifact is made for: what its packages were built with, or what its project file
// asks for. A family is returned as it is if nothing says more. That the runtime is one that AWS has is not checked.
func ForTree(family Family, tree fs.FS) string {
	var version string
	switch family {
	case Python:
		if version = python(tree); version != "" {
			return "python" + version
		}
	case Ruby:
		if version = ruby(tree); version != "" {
			return "ruby" + version
		}
	case Node:
		if version = node(tree); version != "" {
			return "nodejs" + version + ".x"
		}
	case Java:
		if version = java(tree); version != "" {
			return "java" + version
		}
	case Provided:
	}
	return string(family)
}

var nativePython = regexp.MustCompile(`\.cpython-3(\d+)-[\w-]+\.so$`)

// python is the version that installed the packages. Without a note the names of native ones have it.
func python(tree fs.FS) string {
	if version := strings.TrimSpace(begins(tree, PythonVersion)); version != "" {
		return version
	}
	version := ""
	_ = fs.WalkDir(tree, path.Dir(PythonVersion), func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return fs.SkipDir // what cannot be read, or is not there, tells nothing
		}
		if match := nativePython.FindStringSubmatch(name); match != nil {
			version = "3." + match[1]
			return fs.SkipAll
		}
		return nil
	})
	return version
}

// ruby is the version whose directory Bundler installed the gems in.
func ruby(tree fs.FS) string {
	found, _ := fs.Glob(tree, "vendor/bundle/ruby/*.*.*") // the pattern is a good one
	if len(found) != 1 {
		return ""
	}
	version := path.Base(found[0])
	return version[:strings.LastIndexByte(version, '.')]
}

var (
	number     = regexp.MustCompile(`\d+`)
	comparison = regexp.MustCompile(`(<=?|>=?|\^|~|=)?\s*v?(\d+)[\w.*-]*`)
)

// node is the major version that package.json asks for, "" for any.
func node(tree fs.FS) string {
	var m struct {
		Engines struct {
			Node string `json:"node"`
		} `json:"engines"`
	}
	text, err := fs.ReadFile(tree, "package.json")
	if err != nil || json.Unmarshal(text, &m) != nil {
		return ""
	}
	best := 0
	for _, name := range all(Node) {
		major, err := strconv.Atoi(number.FindString(name))
		if err == nil && major > best && satisfies(major, m.Engines.Node) {
			best = major
		}
	}
	if best == 0 || m.Engines.Node == "" {
		return ""
	}
	return strconv.Itoa(best)
}

// satisfies reports whether a major version is in a range such as ">=18 <23", "^20.1" or "18 || 20".
func satisfies(major int, text string) bool {
	for alternative := range strings.SplitSeq(text, "||") {
		fits, any := true, false
		for _, c := range comparison.FindAllStringSubmatch(alternative, -1) {
			n, err := strconv.Atoi(c[2])
			any = any || err == nil
			switch c[1] {
			case "<":
				fits = fits && major < n
			case "<=":
				fits = fits && major <= n
			case ">", ">=":
				fits = fits && major >= n
			default:
				fits = fits && major == n
			}
		}
		if fits && any {
			return true
		}
	}
	return false
}

var javaRelease = regexp.MustCompile(`<(?:java\.version|maven\.compiler\.(?:release|target|source)|release)>\s*(?:1\.)?(\d+)\s*<|` +
	`JavaLanguageVersion\.of\(\s*(\d+)\s*\)|(?:source|target)Compatibility\s*=?\s*(?:JavaVersion\.VERSION_)?['"]?(?:1[._])?(\d+)`)

// java is the oldest version of AWS that runs what the project file asks for, "" if that says nothing.
func java(tree fs.FS) string {
	for _, name := range []string{"pom.xml", "build.gradle", "build.gradle.kts"} {
		match := javaRelease.FindStringSubmatch(begins(tree, name))
		if match == nil {
			continue
		}
		wanted, err := strconv.Atoi(match[1] + match[2] + match[3])
		if err != nil {
			return ""
		}
		for _, version := range []int{11, 17, 21, 25} {
			if version >= wanted && slices.Contains(Names(), "java"+strconv.Itoa(version)) {
				return strconv.Itoa(version)
			}
		}
	}
	return ""
}
