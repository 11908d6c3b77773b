package source_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/source"
)

// TestMain lets the test binary be started again as a scanner without the rights of root, who may read everything.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "scan" {
		_, err := source.Scan(context.Background(), os.Args[2], source.Options{Ignore: true})
		if e, ok := errors.AsType[*aloft.Error](err); ok {
			_, _ = io.WriteString(os.Stdout, string(e.Code)+"\n"+e.Message+"\n"+e.Hint)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	base := t.TempDir() // closed to other users as it is
	must(t, os.Chmod(base, 0o755))
	must(t, os.Chmod(filepath.Dir(base), 0o755))
	binary := filepath.Join(base, "scanner")
	self, err := os.Executable()
	must(t, err)
	program, err := os.ReadFile(self)
	must(t, err)
	must(t, os.WriteFile(binary, program, 0o755))

	for name, mode := range map[string]os.FileMode{"a file": 0, "dir/": 0, ".gitignore": 0} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(base, strings.Trim(name, "/"))
			path := strings.Trim(name, "/")
			write(t, dir, map[string]string{strings.TrimSuffix(name, "/") + strings.Repeat("/x", strings.Count(name, "/")): "1"})
			must(t, os.Chmod(filepath.Join(dir, path), mode))
			scanner := exec.CommandContext(t.Context(), binary, "scan", dir)
			if os.Getuid() == 0 {
				scanner.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			}
			out, err := scanner.Output()
			must(t, err)
			must(t, os.Chmod(filepath.Join(dir, path), 0o755))
			for _, want := range []string{"invalid\n", `cannot read "` + path + `"`, "permission denied", "chmod", ".aloftignore"} {
				if !strings.Contains(string(out), want) {
					t.Errorf("%q does not say %q", out, want)
				}
			}
		})
	}
}
