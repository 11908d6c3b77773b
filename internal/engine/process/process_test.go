package process_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/enginetest"
	"github.com/aloft-run/aloft/internal/engine/process"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("PROCESS_TEST_DOOMED"); dir != "" {
		doomed(dir)
	}
	enginetest.Main(m)
}

func TestContract(t *testing.T) { enginetest.Run(t, process.New(t.TempDir())) }

// doomed is a server that starts sandboxes and waits to be killed.
func doomed(dir string) {
	e := process.New(dir)
	for _, what := range []string{"setsid", "leave", "stubborn", "fork"} {
		spec := engine.Spec{ID: what, Command: enginetest.Child(what), Stdout: os.Stdout}
		if what == "leave" { // it must not end before the server does
			spec.Command = []string{"/bin/sh", "-c", `"$0" "$@"; exec sleep 1000`}
			spec.Command = append(spec.Command, enginetest.Child("leave")...)
			spec.Env = []string{"PATH=/bin:/usr/bin"}
		}
		if _, err := e.Start(context.Background(), spec); err != nil {
			panic(err)
		}
	}
	select {}
}

func TestReap(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells start times and environments; run it there")
	}
	dir := filepath.Join(t.TempDir(), "run")
	if n, err := process.Reap(dir); n != 0 || err != nil {
		t.Fatalf("reap of nothing: %d, %v", n, err)
	}
	self, _ := os.Executable()
	server := exec.Command(self)
	server.Env = []string{"PROCESS_TEST_DOOMED=" + dir}
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var pids []int
	for range 4 { // three pids of descendants and the word of the stubborn one
		if !lines.Scan() {
			t.Fatal("the server ended")
		}
		if pid, err := strconv.Atoi(lines.Text()); err == nil {
			pids = append(pids, pid)
		}
	}
	bystander := exec.Command(enginetest.Child("hang")[0], enginetest.Child("hang")[1:]...)
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = bystander.Process.Kill(); _ = bystander.Wait() }()
	// a record whose pid now is somebody else's
	stale := filepath.Join(dir, "STALE")
	if err := os.WriteFile(stale, []byte(strconv.Itoa(bystander.Process.Pid)+" 1 no-such-boot\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_ = server.Process.Kill()
	_ = server.Wait()
	n, err := process.Reap(dir)
	if err != nil || n < 7 {
		t.Errorf("reaped %d, %v", n, err)
	}
	for _, pid := range pids {
		if stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); err == nil && !strings.Contains(string(stat), ") Z ") {
			t.Errorf("%d is alive", pid)
		}
	}
	if err := bystander.Process.Signal(syscall.Signal(0)); err != nil {
		t.Error("the bystander was killed")
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("records left: %v", left)
	}
}

func TestRecordsEndWithTheirProcess(t *testing.T) {
	dir := t.TempDir()
	s, err := process.New(dir).Start(t.Context(), engine.Spec{ID: "x", Command: enginetest.Child("hang")})
	if err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d records of one process", len(entries))
	}
	_ = s.Signal(syscall.SIGKILL)
	<-s.Done()
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("%d records of none", len(entries))
	}
}

func TestNothingIsLeftOfThem(t *testing.T) {
	e := process.New(t.TempDir())
	cycle := func() {
		for range 5 {
			s, err := e.Start(t.Context(), engine.Spec{
				ID: "x", Command: []string{"/bin/echo", "x"},
				Stdin: strings.NewReader("in"), Stdout: io.Discard, Stderr: io.Discard,
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Listeners(); err != nil {
				t.Error(err)
			}
			<-s.Done()
			_, err = e.Start(t.Context(), engine.Spec{ID: "x", Command: []string{"/etc/passwd"}, Stdout: io.Discard})
			if err == nil {
				t.Error("started what is not executable")
			}
		}
	}
	files := func() int {
		open, _ := os.ReadDir("/dev/fd")
		return len(open)
	}
	cycle()
	routines, fds := runtime.NumGoroutine(), files()
	for range 5 {
		cycle()
	}
	for end := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > routines || files() > fds; <-time.After(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("goroutines: %d, then %d; open files: %d, then %d", routines, runtime.NumGoroutine(), fds, files())
		}
	}
}

func TestHolder(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells who listens; run it there")
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	if pid, name, ok := process.New("").Holder(port); !ok || pid != os.Getpid() || name == "" {
		t.Errorf("port %d is held by %d %q %v, not by %d", port, pid, name, ok, os.Getpid())
	}
}

func TestDatagrams(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells what a process has bound; run it there")
	}
	s, err := process.New("").Start(t.Context(), engine.Spec{ID: "x", Command: enginetest.Child("listen", "udp:0")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Signal(syscall.SIGKILL); <-s.Done() }()
	for end := time.Now().Add(20 * time.Second); ; <-time.After(5 * time.Millisecond) {
		if all, _ := s.(engine.DatagramLister).Datagrams(); len(all) == 1 {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the socket is not found")
		}
	}
}

func TestIdle(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells what threads do; run it there")
	}
	for command, want := range map[string]bool{"exec sleep 1000": true, "while :; do :; done": false} {
		s, err := process.New("").Start(t.Context(), engine.Spec{ID: "x", Command: []string{"/bin/sh", "-c", command}, Env: []string{"PATH=/bin:/usr/bin"}})
		if err != nil {
			t.Fatal(err)
		}
		idler := s.(engine.Idler)
		for end := time.Now().Add(20 * time.Second); idler.Idle() != want; <-time.After(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: idle is not %v", command, want)
			}
		}
		_ = s.Signal(syscall.SIGKILL)
		<-s.Done()
		if idler.Idle() {
			t.Errorf("%s: idle after its end", command)
		}
	}
}

func BenchmarkListeners(b *testing.B) {
	s, err := process.New("").Start(b.Context(), engine.Spec{ID: "x", Command: enginetest.Child("hang")})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Signal(syscall.SIGKILL); <-s.Done() }()
	for b.Loop() {
		if _, err := s.Listeners(); err != nil {
			b.Fatal(errors.Unwrap(err))
		}
	}
}
