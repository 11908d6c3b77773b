package golang_test

import (
	"testing"

	"github.com/aloft-run/aloft/internal/buildpack/buildpacktest"
	"github.com/aloft-run/aloft/internal/buildpack/golang"
)

type files = map[string]string

const (
	module  = "module example.com/shop/v2\n\ngo 1.23\n"
	program = "package main\n\nfunc main() {}\n"
	compile = "go build -trimpath -buildvcs=false -modcacherw -ldflags=-s -w -o "
)

func TestContract(t *testing.T) {
	t.Parallel()
	buildpacktest.Run(t, golang.New(), buildpacktest.Source(files{"go.mod": module, "main.go": program}), buildpacktest.Source(files{"lib.go": "package lib"}))
}

func TestDetect(t *testing.T) {
	t.Parallel()
	buildpacktest.Table(t, golang.New(), []buildpacktest.Case{
		{
			Name: "root", Files: files{"go.mod": module, "main.go": program, "cmd/tool/main.go": program}, Start: "bin/shop",
			Steps: []string{compile + "bin/shop .", compile + "bin/tool ./cmd/tool"},
		},
		{Name: "same name", Files: files{"go.mod": module, "main.go": program, "cmd/shop/main.go": program}, Start: "bin/shop", Steps: []string{compile + "bin/shop ."}},
		{Name: "cmd", Files: files{"go.mod": module, "shop.go": "package shop", "cmd/web/main.go": program, "internal/gen/main.go": program}, Start: "bin/web"},
		{Name: "elsewhere", Files: files{"go.mod": module, "server/run.go": program}, Start: "bin/server"},
		{Name: "no module", Files: files{"main.go": program}, Start: "bin/app", Steps: []string{"go mod init app", "go mod tidy", compile + "bin/app ."}},
		{Name: "several", Files: files{"go.mod": module, "cmd/a/main.go": program, "cmd/b/main.go": program}, Err: "several main packages: cmd/a, cmd/b", Hint: "web: bin/a"},
		{Name: "library", Files: files{"go.mod": module, "lib.go": "package lib"}, Err: "no main package", Hint: "func main()"},
		{Name: "main without function", Files: files{"go.mod": module, "main.go": "package main\nvar main = 1"}, Err: "no main package"},
		{Name: "not built", Files: files{
			"go.mod": module, "gen.go": "//go:build ignore\n\n" + program, "x_test.go": program, "y_plan9.go": program, "vendor/v/main.go": program,
			"testdata/main.go": program, "_old/main.go": program, ".x/main.go": program, "examples/go.mod": "module x", "examples/main.go": program,
		}, Err: "no main package"},
		{Name: "no module line", Files: files{"go.mod": "go 1.23\n", "main.go": program}, Err: "go.mod:1:1: there is no module line"},
		{Name: "odd module name", Files: files{"go.mod": "module \"example.com/$x\"\n", "main.go": program}, Start: "bin/app"},
		{Name: "syntax error", Files: files{"go.mod": module, "main.go": program + "func {"}, Start: "bin/shop"},
	})
}
