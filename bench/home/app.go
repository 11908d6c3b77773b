package home

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Hello builds the Go app of the benchmarks as the executable file.
func Hello(ctx context.Context, file string) error {
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", file, "github.com/aloft-run/aloft/bench/hello")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build the app: %w\n%s", err, out)
	}
	return nil
}

// Plant writes an app: files by their names.
func Plant(dir string, files map[string]string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// Get asks a URL over a new connection and returns how long it took until the answer was there, in milliseconds. All but 200
// is an error.
func Get(ctx context.Context, address string) (float64, error) {
	took, _, err := Fetch(ctx, address)
	return took, err
}

// Fetch is Get that returns the answer's body as well. It goes to 127.0.0.1: not every resolver knows *.localhost.
func Fetch(ctx context.Context, address string) (took float64, body string, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return 0, "", err
	}
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", u.Port()))
		},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	began := time.Now()
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	took = float64(time.Since(began).Microseconds()) / 1000
	if answer.StatusCode != http.StatusOK {
		return 0, "", fmt.Errorf("%s answers %s", address, answer.Status)
	}
	text, err := io.ReadAll(answer.Body)
	return took, string(text), err
}
