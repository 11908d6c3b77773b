// Package examples_test deploys every example for real: the aloft command builds it with the package managers of this
// machine and runs it, and its pages are fetched through the gateway.
package examples_test

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/aloftest"
)

func TestMain(m *testing.M) { aloftest.Main(m, nil) }

func TestExamples(t *testing.T) {
	t.Parallel()
	w := serve(t)
	t.Run("all", func(t *testing.T) {
		for _, e := range examples() {
			t.Run(e.name, func(t *testing.T) {
				t.Parallel()
				e.run(t, w)
			})
		}
	})
}

// serve starts a server of which the builds keep what they fetch.
func serve(t *testing.T) *aloftest.World {
	t.Helper()
	w := aloftest.New(t)
	cache, err := filepath.Abs(filepath.Join("..", ".cache", "examples"))
	if err != nil {
		t.Fatal(err)
	}
	w.KeepCaches(t, cache)
	w.Serve(t)
	return w
}

type example struct {
	name, buildpack string
	tool            string // what builds or runs it
	port            int    // where it listens if it ignores PORT
	home            string // what its first page says
	route, answer   string
}

func examples() []example {
	return []example{
		{"hello-server", "server", "node", 3000, "Hello World", "/anything", "Hello World"},
		{"express", "node", "npm", 0, "Hello from Express", "/hello/Ada", "Hello, Ada!"},
		{"flask", "python", "python3", 0, "Hello from Flask", "/hello/Ada", "Hello, Ada"},
		{"django", "python", "python3", 0, "Hello from Django", "/static/clock/style.css", "max-width"},
		{"fastapi", "python", "python3", 0, "Hello from FastAPI", "/hello/Ada", "Hello, Ada!"},
		{"procfile", "procfile + python", "python3", 0, "Hello from a Procfile", "/hello/Ada", "Hello, Ada!"},
		{"go-chi", "golang", "go", 0, "Hello from chi", "/hello/Ada", "Hello Ada"},
		{"spring-boot", "java", "mvn", 0, "Hello from Spring Boot", "/hello/Ada", "Hello, Ada!"},
		{"axum", "rust", "cargo", 0, "Hello from axum", "/hello/Ada", "Hello, Ada!"},
		{"sinatra", "ruby", "bundle", 0, "Hello from Sinatra", "/hello/Ada", "Hello Ada"},
		{"haproxy", "procfile", "python3", 0, "Hello from handlers", "/generate", "server one 10.0.0.1:8080 check"},
		{"static", "static", "", 0, "Hello from files", "/guide/", "Guide"},
	}
}

func (e example) run(t *testing.T, w *aloftest.World) {
	t.Helper()
	aloftest.NeedTool(t, e.tool)
	if e.port != 0 && !free(e.port) {
		t.Skipf("the port %d that this example insists on is taken", e.port)
	}
	// A copy elsewhere: the same source gives the same bytes whatever the directory.
	dir := filepath.Join(t.TempDir(), e.name)
	if err := os.CopyFS(dir, os.DirFS(e.name)); err != nil {
		t.Fatal(err)
	}
	d := w.Up(t, dir)
	t.Logf("%s, built in %.1f s, %d bytes", d.Build.Buildpack, d.Build.Seconds, d.Artifact.Size)
	if d.Build.Buildpack != e.buildpack {
		t.Errorf("detected as %s, want %s", d.Build.Buildpack, e.buildpack)
	}
	for path, want := range map[string]string{"/": e.home, e.route: e.answer} {
		if status, body := w.Get(t, d.URL+path); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: status %d, want %q in:\n%.2000s", path, status, want, body)
		}
	}
	if testing.Short() {
		return
	}
	if again := w.Up(t, dir, "--force"); again.Artifact != d.Artifact || again.Build.Cached {
		t.Errorf("built again: %+v (cached: %v), first %+v", again.Artifact, again.Build.Cached, d.Artifact)
	}
}

func free(port int) bool {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{Port: port})
	if err == nil {
		_ = l.Close()
	}
	return err == nil
}

// TestGenerate: the handlers of haproxy check what they are sent, and answer with plain text.
func TestGenerate(t *testing.T) {
	t.Parallel()
	aloftest.NeedTool(t, "python3")
	w := aloftest.New(t)
	w.Serve(t)
	dir := filepath.Join(t.TempDir(), "haproxy")
	if err := os.CopyFS(dir, os.DirFS("haproxy")); err != nil {
		t.Fatal(err)
	}
	d := w.Up(t, dir)
	for body, want := range map[string]string{
		`[{"name":"a","address":"10.1.2.3","port":81},{"name":"b","address":"b.example"}]`: "200 text/plain; charset=utf-8 server a 10.1.2.3:81 check\n    server b b.example:80 check\n",
		`[{"name":"a b","address":"10.1.2.3"}]`:                                            "422 text/plain; charset=utf-8 [0].name: expected letters",
		`[{"name":"a","address":"x","port":70000}]`:                                        "422 text/plain; charset=utf-8 [0].port",
		`[{"name":"a","address":"x","weight":1}]`:                                          "422 text/plain; charset=utf-8 [0].weight: unknown",
		`{}`: "422 text/plain; charset=utf-8 expected a JSON array",
		`[`:  "400 text/plain; charset=utf-8 the body is no JSON",
	} {
		request, err := w.Request(t.Context(), http.MethodPost, d.URL+"/generate", body)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		status, rest, _ := strings.Cut(want, " ")
		kind, says, _ := strings.Cut(rest, "utf-8 ")
		if err != nil || strconv.Itoa(res.StatusCode) != status || res.Header.Get("Content-Type") != kind+"utf-8" || !strings.Contains(string(text), says) {
			t.Errorf("%s is answered %d %s %q, %v; want %s", body, res.StatusCode, res.Header.Get("Content-Type"), text, err, want)
		}
	}
}
