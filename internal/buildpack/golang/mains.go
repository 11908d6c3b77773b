package golang

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
)

// findMains returns the directories of the main packages that the go command would build here, in order.
func findMains(src fs.FS) ([]string, error) {
	var mains []string
	platform := build.Default
	platform.CgoEnabled = false
	platform.JoinPath = path.Join
	platform.OpenFile = func(name string) (io.ReadCloser, error) { return src.Open(name) }
	err := fs.WalkDir(src, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != "." && skipped(src, name, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		dir := path.Dir(name)
		if !isSource(entry) {
			return nil
		}
		if ok, _ := platform.MatchFile(dir, entry.Name()); !ok {
			return nil // not for this platform, or broken, which the compiler explains better
		}
		main, err := isMain(src, name)
		if main {
			mains = append(mains, dir)
		}
		return err
	})
	if aloft.ErrorCode(err) == aloft.Internal {
		return nil, aloft.Errorf(aloft.Invalid, "read the source: %w", err).WithHint("check the permissions of the files")
	}
	slices.Sort(mains) // the root, ".", comes first
	return slices.Compact(mains), err
}

func isSource(entry fs.DirEntry) bool {
	name := entry.Name()
	return entry.Type().IsRegular() && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go")
}

// skipped reports whether the go command passes a directory over, or another module begins there.
func skipped(src fs.FS, name, base string) bool {
	return base == "vendor" || base == "testdata" || base == "node_modules" || base[0] == '.' || base[0] == '_' || !plainName.MatchString(base) ||
		buildpack.Exists(src, name+"/go.mod")
}

// isMain reports whether a file belongs to a main package and has the main function.
func isMain(src fs.FS, name string) (bool, error) {
	data, ok, err := buildpack.Read(src, name)
	if !ok || err != nil {
		return false, err
	}
	file, _ := parser.ParseFile(token.NewFileSet(), name, data, parser.SkipObjectResolution)
	if file == nil || file.Name == nil || file.Name.Name != "main" {
		return false, nil
	}
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "main" {
			return true, nil
		}
	}
	return false, nil
}
