package local_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/enginetest"
	"github.com/aloft-run/aloft/internal/engine/process"
	"github.com/aloft-run/aloft/internal/local"
	"github.com/aloft-run/aloft/internal/mem"
	"github.com/aloft-run/aloft/internal/route"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

var shop = aloft.StageRef{App: "shop", Stage: "staging"}

// world is a platform with all that is around it.
type world struct {
	*local.Platform
	table *route.Table
	dir   string
	logs  logs
	run   string // the engine's records: one file per running sandbox
	store mem.Store
}

// artifacts has one tree for every digest but "damaged". Its index.html tells the digest.
type artifacts struct{}

func (artifacts) Extract(_ context.Context, digest, dst string) error {
	if digest == "damaged" {
		return aloft.Errorf(aloft.Internal, "artifact %s is damaged", digest)
	}
	if err := os.Mkdir(dst, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dst, "index.html"), []byte("files of "+digest), 0o644)
}

type logs struct {
	mu    sync.Mutex
	lines []aloft.LogLine
}

func (l *logs) Append(_ aloft.StageRef, line aloft.LogLine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

func (l *logs) has(stream, text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if line.Stream == stream && strings.Contains(line.Text, text) {
			return true
		}
	}
	return false
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return worldOn(t, func(runDir string) engine.Engine { return process.New(runDir) })
}

func worldOn(t *testing.T, on func(runDir string) engine.Engine) *world {
	t.Helper()
	w := &world{table: &route.Table{}, dir: filepath.Join(t.TempDir(), "local"), run: t.TempDir()}
	w.Platform = local.New(local.Options{
		Releases:  &w.store,
		Engine:    on(w.run),
		Table:     w.table,
		Artifacts: artifacts{},
		Logs:      &w.logs,
		Unseal: func(_ context.Context, r aloft.Release) (aloft.Config, error) {
			config := aloft.Config{}
			for key, value := range r.Config.Values { // sealed by nothing
				config[key] = string(value)
			}
			return config, nil
		},
		Dir:     w.dir,
		Hosts:   func(s aloft.Stage) []string { return append([]string{s.Label() + ".localhost"}, s.Domains...) },
		BaseEnv: []string{"PATH=/usr/bin:/bin", "LANG=C.UTF-8"},
		Static:  func(root string) (route.Files, error) { return fileServer{http.FileServer(http.Dir(root))}, nil },
	})
	t.Cleanup(func() { w.close(t) })
	return w
}

// close ends the world and looks whether anything is left of it.
func (w *world) close(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := w.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
	if left, _ := os.ReadDir(w.run); len(left) != 0 {
		t.Errorf("%d sandboxes left", len(left))
	}
	for _, what := range []string{"trees", "instances"} {
		if left := w.left(what); len(left) != 0 {
			t.Errorf("%s left: %v", what, left)
		}
	}
}

// left lists what lies in the directories of all stages.
func (w *world) left(what string) []string {
	found, _ := filepath.Glob(filepath.Join(w.dir, what, "*", "*", "*"))
	return found
}

// release is version n of shop/staging: a server that greets with its version.
func release(n int, command ...string) aloft.Release {
	if len(command) == 0 {
		command = enginetest.Child("listen", "tcp4:$PORT")
	}
	return aloft.Release{
		StageRef: shop, Version: n, Artifact: aloft.Artifact{Digest: "digest" + strconv.Itoa(n)},
		Functions: []aloft.Function{{Name: "web", Kind: aloft.Web, Command: command}},
		Config:    aloft.SealedConfig{Values: map[string][]byte{"GREETING": []byte("v" + strconv.Itoa(n))}},
	}
}

func fine(context.Context) error { return nil }

func (w *world) apply(t *testing.T, r aloft.Release) {
	t.Helper()
	if err := w.Apply(t.Context(), r, aloft.Discard{}, fine); err != nil {
		t.Fatalf("apply v%d: %v", r.Version, err)
	}
}

// get asks the way the gateway does.
func (w *world) get(ctx context.Context, host, path string) (string, error) {
	for {
		r := w.table.Lookup(host)
		if r == nil {
			return "", errors.New("no route")
		}
		if r.Static != nil && strings.HasPrefix(path, r.Prefix) {
			return files(ctx, r.Static, path)
		}
		u, err := r.Backend.Acquire(ctx)
		if err != nil {
			if w.table.Lookup(host) == r {
				return "", err
			}
			continue
		}
		defer u.End()
		conn, err := u.Dial(ctx)
		if err != nil {
			return "", err
		}
		defer conn.Close()
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		defer stop()
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return "", err
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		return string(body), err
	}
}

// recorder is the least an http.Handler writes to.
type recorder struct {
	header http.Header
	status int
	body   strings.Builder
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

func files(ctx context.Context, h http.Handler, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://x"+path, http.NoBody)
	if err != nil {
		return "", err
	}
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(rec, request)
	if rec.status != http.StatusOK {
		return "", fmt.Errorf("status %d", rec.status)
	}
	return rec.body.String(), nil
}

const host = "shop-staging.localhost"

func (w *world) expect(t *testing.T, path, want string) {
	t.Helper()
	if got, err := w.get(t.Context(), host, path); err != nil || got != want {
		t.Errorf("%s answers %q, %v, want %q", path, got, err, want)
	}
}

func (w *world) instances(t *testing.T) []aloft.Instance {
	t.Helper()
	status, err := w.Status(t.Context(), shop)
	if err != nil {
		t.Fatal(err)
	}
	return status.Instances
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); <-time.After(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not in time", what)
		}
	}
}

// lowPort is a free port that the system gives to nobody by itself.
func lowPort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(12000 + rand.IntN(7000))
		if l, err := net.Listen("tcp4", "127.0.0.1:"+port); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// fileServer is a route.Files that has everything.
type fileServer struct{ http.Handler }

func (fileServer) Has(string) bool { return true }
