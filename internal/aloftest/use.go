package aloftest

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
)

// NeedTool skips the test if a tool is not on this machine, or does not work here (a version manager that knows no version
// in this home directory). "" is no tool.
func NeedTool(t *testing.T, tool string) {
	t.Helper()
	if tool == "" {
		return
	}
	flag := "--version"
	if tool == "go" {
		flag = "version"
	}
	if out, err := exec.CommandContext(t.Context(), tool, flag).CombinedOutput(); err != nil {
		t.Skipf("%s does not run here (%v): %s\ninstall it; the README and tools/deps.sh name the packages", tool, err, out)
	}
}

// Deployment is what up, rollback and config print with --json.
type Deployment struct {
	Release   int            `json:"release"`
	URL       string         `json:"url"`
	Artifact  aloft.Artifact `json:"artifact"`
	Unchanged bool           `json:"unchanged"`
	Build     struct {
		Buildpack string  `json:"buildpack"`
		Cached    bool    `json:"cached"`
		Seconds   float64 `json:"seconds"`
	} `json:"build"`
}

// Run runs a command in dir to its end and returns what it printed.
func (w *World) Run(dir string, args ...string) (stdout, stderr string, err error) {
	cmd := w.Command(context.Background(), dir, args...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// Must runs a command that has to succeed and decodes the JSON it prints, if into is not nil.
func (w *World) Must(t *testing.T, into any, dir string, args ...string) {
	t.Helper()
	out, errs, err := w.Run(dir, args...)
	if err != nil {
		t.Fatalf("aloft %s: %v\n%s%s", strings.Join(args, " "), err, out, errs)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatalf("aloft %s printed %q: %v", strings.Join(args, " "), out, err)
	}
}

// Up deploys the app in dir to production.
func (w *World) Up(t *testing.T, dir string, flags ...string) Deployment {
	t.Helper()
	var d Deployment
	w.Must(t, &d, dir, append([]string{"up", "production", "--json"}, flags...)...)
	return d
}

// Request is a request to the gateway for the host of a URL. No name is looked up: the gateway is on this machine.
func (w *World) Request(ctx context.Context, method, address, body string) (*http.Request, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	host := u.Hostname()
	u.Host = w.Addr
	r, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(w.Addr)
	r.Host = net.JoinHostPort(host, port)
	return r, err
}

// Get fetches a page and returns its status and body.
func (w *World) Get(t *testing.T, address string) (status int, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := w.Request(ctx, http.MethodGet, address, "")
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("read %s: %v", address, err)
	}
	return res.StatusCode, string(text)
}

// Tree unpacks the artifact of a deployment and returns the directory.
func (w *World) Tree(t *testing.T, d Deployment) string {
	t.Helper()
	store, err := artifact.Open(filepath.Join(w.Home, "artifacts"))
	if err != nil {
		t.Fatal(err)
	}
	dst := filepath.Join(t.TempDir(), "tree")
	if err := store.Extract(t.Context(), d.Artifact.Digest, dst); err != nil {
		t.Fatal(err)
	}
	return dst
}
