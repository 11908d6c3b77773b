package hostile_test

import (
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"
)

// upgradeBroken: a program that is none, or whose server does not come up, leaves everything as it was, under load.
func upgradeBroken(t *testing.T, one, two string) {
	t.Helper()
	s := installed(t, one, "")
	s.background(t)
	s.Up(t, s.dir)
	dir := t.TempDir()
	script := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	program, err := os.ReadFile(two)
	if err != nil {
		t.Fatal(err)
	}
	foreign := append([]byte(nil), program...)
	foreign[18], foreign[19] = 0xf3, 0 // RISC-V, in the head of the file
	asked := "case $1 in version) exec " + two + " \"$@\";; esac\n"
	load := startPaced(t, s, 100)
	before := s.files(t)
	for i, c := range []struct {
		name, file string
		status     int
		says       string
	}{
		{"nothing", filepath.Join(dir, "nothing"), 2, "there is no file"},
		{"a directory", dir, 2, "not a regular file"},
		{"a text", script("text", "hello\n", 0o644), 2, "not executable"},
		{"an executable text", script("words", "hello\n", 0o755), 2, "no program of this machine"},
		{"of another machine", script("foreign", string(foreign), 0o755), 2, "no program of this machine"},
		{"cut off", script("half", string(program[:len(program)/2]), 0o755), 2, ""},
		{"another program", script("other", "#!/bin/sh\necho '{\"version\": 1}'\n", 0o755), 2, "not aloft"},
		{"one that fails", script("fails", "#!/bin/sh\necho oh no >&2; exit 3\n", 0o755), 2, "oh no"},
		{"one that knows no handover", script("old", "#!/bin/sh\necho '{\"version\": \"0.1\", \"go\": \"x\", \"schema\": 1000}'\n", 0o755), 2, "aloft stop --server"},
		{"one of an older state", script("older", "#!/bin/sh\necho '{\"version\": \"0.1\", \"go\": \"x\", \"handover\": 1}'\n", 0o755), 2, "understands the state up to schema 0"},
		{"the server exits", script("exits", "#!/bin/sh\n"+asked+"echo no luck >&2; exit 7\n", 0o755), 1, "exit status 7"},
		{"the server hangs", script("hangs", "#!/bin/sh\n"+asked+"exec sleep 1000\n", 0o755), 1, "no answer"},
		{"the server cannot start", script("unlucky", "#!/bin/sh\n"+asked+"exec env ALOFT_ISOLATION_MINIMUM=5 "+two+" \"$@\"\n", 0o755), 1, "is no level"},
	} {
		out, said, err := s.Run(s.dir, "upgrade", "--self", c.file, "--yes", "--timeout", "2s")
		status := 0
		if exit, ok := err.(interface{ ExitCode() int }); ok {
			status = exit.ExitCode()
		}
		if status != c.status || !strings.Contains(said, c.says) || strings.Contains(said, "goroutine") {
			t.Errorf("%s: status %d, want %d and %q\n%s%s", c.name, status, c.status, c.says, out, said)
		}
		if after := s.files(t); after != before {
			t.Errorf("%s: the files changed:\n%s\nbefore:\n%s", c.name, after, before)
		}
		s.edit(t, "broken-"+strconv.Itoa(i))
		s.Up(t, s.dir)
	}
	load.end()
	report(t, "failed requests", load.failures)
	if took := time.Duration(load.slowest.Load()); load.requests.Load() < 100 {
		t.Errorf("%d requests, the slowest %v", load.requests.Load(), took)
	}
	s.Must(t, nil, s.dir, "upgrade", "--self", two, "--yes") // a good one goes on
}

// files describes what an upgrade may change: the program and what lies beside it, and which server runs.
func (s *shop) files(t *testing.T) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(s.Program))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, e.Name()+" "+info.Mode().String()+" "+info.ModTime().String())
	}
	lock, err := os.ReadFile(filepath.Join(s.Home, "server.lock"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"run2", "local2"} {
		if left, _ := os.ReadDir(filepath.Join(s.Home, name)); len(left) > 0 {
			lines = append(lines, name+" is not empty")
		}
	}
	sort.Strings(lines)
	return strings.Join(append(lines, "server "+string(lock)), "\n")
}
