package function_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/enginetest"
	"github.com/aloft-run/aloft/internal/function"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

func prepare(command []string, env ...string) func(string, int) (engine.Spec, func(), error) {
	return func(_ string, port int) (engine.Spec, func(), error) {
		all := append([]string{"PATH=/usr/bin:/bin", "PORT=" + strconv.Itoa(port)}, env...)
		return engine.Spec{Command: command, Env: all}, nil, nil
	}
}

// start returns a started pool that is gone after the test, behind a gate.
func start(t *testing.T, options function.Options) (*function.Pool, *function.Gate) {
	t.Helper()
	p, g := function.NewPool(options), function.NewGate()
	if err := p.Start(t.Context(), func() {}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	g.Use(p)
	return p, g
}

// fails starts a pool that should not start, and returns why it did not.
func fails(t *testing.T, options function.Options) error {
	t.Helper()
	p := function.NewPool(options)
	defer p.Kill()
	return p.Start(t.Context(), func() {})
}

// get makes a request of its own connection through a gate.
func get(ctx context.Context, g *function.Gate, path string) (string, error) {
	u, err := g.Acquire(ctx)
	if err != nil {
		return "", err
	}
	defer u.End()
	conn, err := u.Dial(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

func greets(t *testing.T, g *function.Gate) {
	t.Helper()
	if got, err := get(t.Context(), g, "/"); err != nil || got != "hello" {
		t.Errorf("it answers %q, %v", got, err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); <-time.After(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not in time", what)
		}
	}
}
