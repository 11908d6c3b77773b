package buildpacktest

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/static"
)

// Start starts the app until the test ends and returns its URL. Port is where an app listens that ignores PORT, else 0.
// When the test ends the app gets SIGTERM and must be gone within ten seconds.
func (a App) Start(t *testing.T, port int) string {
	t.Helper()
	if s := a.Found.Plan.Static; s != nil {
		return a.serve(t, s.Root)
	}
	listen := port
	if port == 0 {
		listen = freePort(t)
	}
	var out output
	command := exec.CommandContext(context.WithoutCancel(t.Context()), "/bin/sh", "-c", "exec "+a.Found.Plan.Start)
	command.Dir, command.Stdout, command.Stderr = a.Dir, &out, &out
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Env = append(
		[]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LANG=C.UTF-8", "HOST=127.0.0.1", "PORT=" + strconv.Itoa(listen)},
		expanded(a.Found.Plan.Env, strings.NewReplacer("$APP", a.Dir))...,
	)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { _ = command.Wait(); close(done) }()
	t.Cleanup(func() { stop(t, command.Process.Pid, done, &out) })
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(listen))
	waitFor(t, address, done, &out)
	return "http://" + address
}

func (a App) serve(t *testing.T, dir string) string {
	t.Helper()
	root, err := os.OpenRoot(filepath.Join(a.Dir, dir))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(static.New(root, static.Options{}))
	t.Cleanup(func() { server.Close(); _ = root.Close() })
	return server.URL
}

func freePort(t *testing.T) int {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func waitFor(t *testing.T, address string, done <-chan struct{}, out *output) {
	t.Helper()
	deadline := time.After(60 * time.Second)
	var dialer net.Dialer
	for {
		if conn, err := dialer.DialContext(t.Context(), "tcp", address); err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-done:
			t.Fatalf("the app ended:\n%s", out)
		case <-deadline:
			t.Fatalf("the app does not listen on %s:\n%s", address, out)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func stop(t *testing.T, pid int, done <-chan struct{}, out *output) {
	t.Helper()
	_ = syscall.Kill(-pid, syscall.SIGTERM)
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Errorf("the app does not end on SIGTERM:\n%s", out)
	}
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	<-done
}

// Get fetches a URL and returns the status and the body.
func Get(t *testing.T, url string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := new(http.Client).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body.String()
}

// output keeps what a process prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
