package hostile_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/aloftest"
)

// upgradeTold: a service of systemd, Type=notify, says when it is ready and which process it is after an upgrade, and the
// old process ends. It is started again with its socket held by systemd, and requests wait meanwhile.
func upgradeTold(t *testing.T, one, two string) {
	t.Helper()
	s := installed(t, one, "")
	path := filepath.Join(t.TempDir(), "notify")
	told, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer told.Close()
	expect := func(want string) { // Caddy, in the server, says more
		t.Helper()
		_ = told.SetReadDeadline(time.Now().Add(time.Minute))
		text := make([]byte, 100)
		for got := ""; got != want; {
			n, err := told.Read(text)
			if got = string(text[:n]); err != nil || strings.HasPrefix(got, "MAINPID=") && got != want {
				t.Fatalf("told %q, %v, want %q", got, err, want)
			}
		}
	}
	listener, err := net.Listen("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	start := func() (*exec.Cmd, chan struct{}) {
		t.Helper()
		cmd := s.Command(context.Background(), "/", "serve")
		cmd.Args = append([]string{"sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"`}, cmd.Args...)
		cmd.Path = "/bin/sh"
		cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+path)
		cmd.ExtraFiles = []*os.File{socket}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		expect("READY=1")
		return cmd, ended
	}
	s.background(t)
	server, ended := start()
	s.Up(t, s.dir)
	load := startPaced(t, s, 100)
	var u upgraded
	s.Must(t, &u, s.dir, "upgrade", "--self", two, "--yes", "--json")
	if u.Server.Before.PID != server.Process.Pid {
		t.Errorf("%+v, the server is %d", u, server.Process.Pid)
	}
	expect(fmt.Sprintf("MAINPID=%d", u.Server.PID))
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("the old process does not end")
	}
	s.Must(t, nil, s.dir, "stop", "--server") // requests wait in the socket
	_, _ = start()
	load.end()
	t.Logf("a service of systemd, upgraded and started again: %d of %d requests failed, the slowest took %v", len(load.failures),
		load.requests.Load(), time.Duration(load.slowest.Load()).Round(time.Millisecond))
	var lost []string
	for _, f := range load.failures { // a request on a connection that the ending server has just closed
		if !strings.Contains(f, "EOF") && !strings.Contains(f, "reset") {
			lost = append(lost, f)
		}
	}
	report(t, "failed requests", lost)
	aloftest.Eventually(t, time.Minute, func() error {
		if n := len(s.servers(t)); n != 1 {
			return fmt.Errorf("%d servers", n)
		}
		return nil
	})
}
