// Package examples_test builds every example for real, with the package managers of this machine, starts it, and fetches two
// of its pages. Examples whose tools are not installed are skipped and say what to install.
package examples_test

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/buildpack"
	"github.com/aloft-run/aloft/internal/buildpack/buildpacktest"
	"github.com/aloft-run/aloft/internal/buildpack/golang"
	"github.com/aloft-run/aloft/internal/buildpack/java"
	"github.com/aloft-run/aloft/internal/buildpack/node"
	"github.com/aloft-run/aloft/internal/buildpack/procfile"
	"github.com/aloft-run/aloft/internal/buildpack/python"
	"github.com/aloft-run/aloft/internal/buildpack/ruby"
	"github.com/aloft-run/aloft/internal/buildpack/rust"
	"github.com/aloft-run/aloft/internal/buildpack/server"
	"github.com/aloft-run/aloft/internal/buildpack/static"
)

func packs() []buildpack.Buildpack {
	return []buildpack.Buildpack{
		procfile.New(), server.New(), node.New(), python.New(), golang.New(), java.New(), rust.New(), ruby.New(), static.New(),
	}
}

func TestExamples(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, buildpack string
		port            int // where it listens if it ignores PORT
		home            string
		route, answer   string
	}{
		{"hello-server", "server", 3000, "Hello World", "/anything", "Hello World"},
		{"express", "node", 0, "Hello from Express", "/hello/Ada", "Hello, Ada!"},
		{"flask", "python", 0, "Hello from Flask", "/hello/Ada", "Hello, Ada"},
		{"django", "python", 0, "Hello from Django", "/static/clock/style.css", "max-width"},
		{"fastapi", "python", 0, "Hello from FastAPI", "/hello/Ada", "Hello, Ada!"},
		{"procfile", "procfile + python", 0, "Hello from a Procfile", "/hello/Ada", "Hello, Ada!"},
		{"go-chi", "golang", 0, "Hello from chi", "/hello/Ada", "Hello Ada"},
		{"spring-boot", "java", 0, "Hello from Spring Boot", "/hello/Ada", "Hello, Ada!"},
		{"axum", "rust", 0, "Hello from axum", "/hello/Ada", "Hello, Ada!"},
		{"sinatra", "ruby", 0, "Hello from Sinatra", "/hello/Ada", "Hello Ada"},
		{"static", "static", 0, "Hello from files", "/guide/", "Guide"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.port != 0 && !free(c.port) {
				t.Skip("the port that this example insists on is taken")
			}
			app := buildpacktest.Build(t, packs(), c.name, cache(t, c.name))
			if app.Found.Name != c.buildpack {
				t.Errorf("detected as %s, want %s", app.Found.Name, c.buildpack)
			}
			url := app.Start(t, c.port)
			for path, want := range map[string]string{"/": c.home, c.route: c.answer} {
				if status, body := buildpacktest.Get(t, url+path); status != 200 || !strings.Contains(body, want) {
					t.Errorf("%s: status %d, want %q in:\n%.2000s", path, status, want, body)
				}
			}
			if testing.Short() {
				return
			}
			// The same source in another directory must give the same bytes.
			if again := buildpacktest.Build(t, packs(), c.name, cache(t, c.name)); again.Digest != app.Digest {
				t.Errorf("digests %s and %s; compare %s and %s", app.Digest, again.Digest, app.Dir, again.Dir)
			}
		})
	}
}

// cache is kept between runs, as a server keeps an app's, so that only the first run fetches everything.
func cache(t *testing.T, name string) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".cache", "examples", name))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func free(port int) bool {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{Port: port})
	if err == nil {
		_ = l.Close()
	}
	return err == nil
}
