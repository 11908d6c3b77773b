package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aloft-run/aloft/internal/api"
	"github.com/aloft-run/aloft/internal/api/apitest"
	"github.com/aloft-run/aloft/internal/cli"
)

// asAloft makes this test binary behave as aloft.
const asAloft = "ALOFT_TEST_AS_ALOFT"

func TestMain(m *testing.M) {
	if os.Getenv(asAloft) != "" {
		os.Exit(cli.Main(context.Background(), cli.Process{
			Args: os.Args[1:], Env: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		}))
	}
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		panic("a test started a server in the background: it would run all tests again")
	}
	os.Exit(m.Run())
}

// bench is a user's place: a home directory with a fake server, and directories of sources.
type bench struct {
	t     *testing.T
	home  string
	dir   string // of sources
	env   []string
	stdin string
}

// result is what a command came to.
type result struct {
	status         int
	stdout, stderr string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, home: filepath.Join(t.TempDir(), "home"), dir: t.TempDir()}
	listener, err := api.Listen(b.home)
	if err != nil {
		t.Fatal(err)
	}
	fake := &apitest.Fake{}
	server := &http.Server{Handler: api.New(fake.Services(b.home, func() {}))}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() {
		_ = server.Close()
		wg.Wait()
	})
	b.env = []string{"ALOFT_HOME=" + b.home, "USER=ada", "PATH=" + os.Getenv("PATH")}
	b.source("shop", "server")
	b.source("broken", "fail")
	b.source("slow", "slow")
	b.source("empty")
	return b
}

func (b *bench) source(name string, files ...string) {
	b.t.Helper()
	dir := filepath.Join(b.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f), []byte(f), 0o755); err != nil {
			b.t.Fatal(err)
		}
	}
}

// run runs a command in this process; -C is given unless the arguments name a directory.
func (b *bench) run(args ...string) result {
	b.t.Helper()
	return b.at("shop", args...)
}

func (b *bench) at(source string, args ...string) result {
	b.t.Helper()
	return b.raw(append([]string{"-C", filepath.Join(b.dir, source)}, args...)...)
}

func (b *bench) raw(args ...string) result {
	b.t.Helper()
	var stdout, stderr bytes.Buffer
	status := cli.Main(b.t.Context(), cli.Process{
		Args: args, Env: b.env, Stdin: io.Reader(strings.NewReader(b.stdin)), Stdout: &stdout, Stderr: &stderr,
	})
	return result{status, stdout.String(), stderr.String()}
}

// ok runs a command that must work and returns its standard output.
func (b *bench) ok(args ...string) string {
	b.t.Helper()
	r := b.run(args...)
	if r.status != 0 {
		b.t.Fatalf("aloft %q ended with status %d: %s", args, r.status, r.stderr)
	}
	return r.stdout
}

// value runs a command with --json that must work and reads its one value.
func value[T any](b *bench, args ...string) T {
	b.t.Helper()
	var v T
	out := b.ok(append([]string{"--json"}, args...)...)
	d := json.NewDecoder(strings.NewReader(out))
	if err := d.Decode(&v); err != nil {
		b.t.Fatalf("aloft %q prints %v: %s", args, err, out)
	}
	if d.More() {
		b.t.Fatalf("aloft %q prints more than one value: %s", args, out)
	}
	return v
}

// fails checks that a command ends with a status and says all the words on standard error.
func (b *bench) fails(status int, args []string, words ...string) {
	b.t.Helper()
	r := b.run(args...)
	if r.status != status {
		b.t.Errorf("aloft %q ended with status %d, want %d: %s", args, r.status, status, r.stderr)
	}
	for _, word := range words {
		if !strings.Contains(r.stderr, word) {
			b.t.Errorf("aloft %q does not say %q: %s", args, word, r.stderr)
		}
	}
}
