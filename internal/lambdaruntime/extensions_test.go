package lambdaruntime_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/lambdaruntime"
)

func TestExtensions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := filepath.Join(dir, lambdaruntime.ExtensionsDir)
	if err := os.MkdirAll(filepath.Join(at, "lib"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"b side": 0o755, "a": 0o755, "README": 0o644} {
		if err := os.WriteFile(filepath.Join(at, name), []byte("#!/bin/sh\necho \"$0\" >> started\necho >> \"$PIPE\"\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	names := lambdaruntime.Extensions(os.DirFS(dir))
	if want := []string{"a", "b side"}; !slices.Equal(names, want) {
		t.Fatalf("extensions %q, want %q", names, want)
	}
	if none := lambdaruntime.Extensions(os.DirFS(at)); none != nil {
		t.Errorf("of a tree without any: %q", none)
	}
	// The command waits for both, by a pipe, and gets its arguments as they are.
	command := []string{"sh", "-c", `exec 3<>"$PIPE"; read a <&3; read b <&3; sort started; echo "$1"`, "sh", "it's $HOME; done"}
	all := lambdaruntime.WithExtensions(command, []string{"./extensions/a", "./extensions/b side"})
	cmd := exec.CommandContext(t.Context(), all[0], all[1:]...)
	pipe := filepath.Join(dir, "pipe")
	if out, err := exec.CommandContext(t.Context(), "mkfifo", pipe).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PIPE="+pipe)
	out, err := cmd.Output()
	if want := "./extensions/a\n./extensions/b side\nit's $HOME; done\n"; err != nil || string(out) != want {
		t.Errorf("%v, printed %q, want %q", err, out, want)
	}
	if plain := lambdaruntime.WithExtensions(command, nil); strings.Join(plain, " ") != strings.Join(command, " ") {
		t.Errorf("without extensions: %q", plain)
	}
}
