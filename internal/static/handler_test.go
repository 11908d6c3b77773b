package static_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aloft-run/aloft/internal/static"
	"github.com/aloft-run/aloft/internal/static/compression"
)

var long = strings.Repeat("body { color: red }\n", 200)

// site is a handler for a directory with files.
func site(t *testing.T, options static.Options, files map[string]string) (*static.Handler, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	options.Encodings = compression.All()
	return static.New(root, options), dir
}

func request(h http.Handler, method, target string, header ...string) *http.Response {
	r := httptest.NewRequest(method, "http://example.test/", http.NoBody)
	r.URL.Path, r.URL.RawQuery, _ = strings.Cut(target, "?")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func get(h http.Handler, target string, header ...string) *http.Response {
	return request(h, http.MethodGet, target, header...)
}

func text(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var files = map[string]string{
	"index.html": "home", "404.html": "lost", "about.html": "about", "docs/index.html": "docs", "docs.html": "not this",
	"notes.html": "notes", "notes/one.html": "one", "css/style.css": long, "img/a.png": "\x89PNG\r\n\x1a\n" + long, "LICENSE": "MIT",
	"aloft.yml": "name: x", "Procfile": "web: x", "up.json": "{}", "e.env": "secret", "sub/prod.ENV": "secret", "sub/aloft.yml": "an example",
	".env": "secret", ".well-known/security.txt": "contact", "sub/.git/config": "secret", "sub/a b&c.txt": "odd", "empty/keep": "",
	"app-B7aQx2Zk.js": "x", "main.3f2a9c81.css": "x", "my-document.js": "x", "release-20240101.js": "x",
}

func TestPaths(t *testing.T) {
	t.Parallel()
	h, _ := site(t, static.Options{}, files)
	for _, c := range []struct {
		path   string
		status int
		body   string
	}{
		{"/", 200, "home"},
		{"", 200, "home"},
		{"/index.html", 200, "home"},
		{"/about", 200, "about"},
		{"/about.html", 200, "about"},
		{"/about/", 404, "lost"},
		{"/docs/", 200, "docs"},
		{"/notes", 200, "notes"},
		{"/notes/", 404, "lost"},
		{"/notes/one", 200, "one"},
		{"/LICENSE", 200, "MIT"},
		{"/LICENSE/", 404, "lost"},
		{"/empty/", 404, "lost"},
		{"/empty", 404, "lost"},
		{"/nothing", 404, "lost"},
		{"/sub/a b&c.txt", 200, "odd"},
		{"/.env", 404, "lost"},
		{"/e.env", 404, "lost"},
		{"/sub/prod.ENV", 404, "lost"},
		{"/aloft.yml", 404, "lost"},
		{"/Procfile", 404, "lost"},
		{"/up.json", 404, "lost"},
		{"/sub/aloft.yml", 200, "an example"},
		{"/sub/.git/config", 404, "lost"},
		{"/.well-known/security.txt", 200, "contact"},
		{"/sub/.well-known/x", 404, "lost"},
		{"/../../etc/passwd", 404, "lost"},
		{"/..", 200, "home"},
		{"//index.html", 200, "home"},
		{"/a\x00b", 404, "lost"},
		{"/..\\index.html", 404, "lost"},
		{"/" + strings.Repeat("a/", 3000), 404, "lost"},
		{"/" + strings.Repeat("a", 3000), 404, "lost"},
	} {
		r := get(h, c.path)
		if got := text(t, r.Body); r.StatusCode != c.status || got != c.body {
			t.Errorf("%.40q: %d %.20q, want %d %q", c.path, r.StatusCode, got, c.status, c.body)
		}
	}
}

func TestRedirect(t *testing.T) {
	t.Parallel()
	h, _ := site(t, static.Options{}, map[string]string{"docs/index.html": "x", "a b/index.html": "x", "javascript:x/index.html": "x"})
	for path, want := range map[string]string{
		"/docs": "./docs/", "/docs?q=1": "./docs/?q=1", "//docs": "./docs/", "/a b": "./a%20b/", "/javascript:x": "./javascript:x/",
	} {
		r := get(h, path)
		if got := r.Header.Get("Location"); r.StatusCode != http.StatusMovedPermanently || got != want {
			t.Errorf("%s: %d to %q, want %q", path, r.StatusCode, got, want)
		}
	}
	// Behind a prefix the redirect must lead to the same place.
	r := get(http.StripPrefix("/assets", h), "/assets/docs")
	if to, err := r.Location(); err != nil || r.Header.Get("Location") != "./docs/" {
		t.Errorf("behind a prefix: %v, %v", to, err)
	}
}

func TestSinglePageApp(t *testing.T) {
	t.Parallel()
	h, _ := site(t, static.Options{}, map[string]string{"index.html": "home", "200.html": "app", "404.html": "lost"})
	for path, want := range map[string]int{"/": 200, "/users/42": 200, "/assets/old.js": 404} {
		if r := get(h, path); r.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, r.StatusCode, want)
		}
	}
	plain, _ := site(t, static.Options{}, map[string]string{"index.html": "home"})
	if r := get(plain, "/x"); r.StatusCode != http.StatusNotFound || text(t, r.Body) != "not found\n" {
		t.Errorf("without 404.html: %d", r.StatusCode)
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	h, _ := site(t, static.Options{}, files)
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"} {
		r := request(h, method, "/")
		if r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, r.StatusCode, r.Header.Get("Allow"))
		}
	}
	for _, path := range []string{"/", "/css/style.css", "/nothing"} {
		for _, encoding := range []string{"identity", "gzip"} {
			g, head := get(h, path, "Accept-Encoding", encoding), request(h, "HEAD", path, "Accept-Encoding", encoding)
			if b := text(t, head.Body); b != "" || head.StatusCode != g.StatusCode {
				t.Errorf("HEAD %s: %d with %d bytes", path, head.StatusCode, len(b))
			}
			for name := range g.Header {
				if g.Header.Get(name) != head.Header.Get(name) {
					t.Errorf("HEAD %s: %s is %q, of GET %q", path, name, head.Header.Get(name), g.Header.Get(name))
				}
			}
		}
	}
}

func TestTypesAndCaching(t *testing.T) {
	t.Parallel()
	h, _ := site(t, static.Options{}, files)
	const forGood, again = "public, max-age=31536000, immutable", "public, max-age=0, must-revalidate"
	for _, c := range []struct{ path, mediaType, caching string }{
		{"/", "text/html; charset=utf-8", again},
		{"/css/style.css", "text/css; charset=utf-8", again},
		{"/img/a.png", "image/png", again},
		{"/LICENSE", "text/plain; charset=utf-8", again},
		{"/app-B7aQx2Zk.js", "text/javascript; charset=utf-8", forGood},
		{"/main.3f2a9c81.css", "text/css; charset=utf-8", forGood},
		{"/my-document.js", "text/javascript; charset=utf-8", again},
		{"/release-20240101.js", "text/javascript; charset=utf-8", again},
	} {
		r := get(h, c.path)
		if got := r.Header.Get("Content-Type"); got != c.mediaType {
			t.Errorf("%s: type %q, want %q", c.path, got, c.mediaType)
		}
		if got := r.Header.Get("Cache-Control"); got != c.caching {
			t.Errorf("%s: Cache-Control %q, want %q", c.path, got, c.caching)
		}
		if r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("Last-Modified") != "" {
			t.Errorf("%s: %v", c.path, r.Header)
		}
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "secret.txt")
	if err := os.WriteFile(outside, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	h, dir := site(t, static.Options{}, map[string]string{"real.txt": "real", "dir/index.html": "in dir"})
	for name, target := range map[string]string{
		"absolute.txt": outside, "relative.txt": "../../../../../../../../../../etc/passwd", "up": "..", "loop": "loop", "good.txt": "real.txt", "gooddir": "dir",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]int{
		"/absolute.txt": 404, "/relative.txt": 404, "/up/" + filepath.Base(dir) + "/real.txt": 404, "/loop": 404, "/good.txt": 200, "/gooddir/": 200,
	} {
		if r := get(h, path); r.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, r.StatusCode, want)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	many := map[string]string{}
	for i := range 200 {
		many["f"+strings.Repeat("x", i)+".css"] = long
	}
	h, _ := site(t, static.Options{Memory: 4096}, many)
	var wg sync.WaitGroup
	for name := range many {
		wg.Go(func() {
			r := get(h, "/"+name, "Accept-Encoding", "zstd")
			if r.StatusCode != http.StatusOK || r.Header.Get("Content-Encoding") != "zstd" {
				t.Errorf("%s: %d", name, r.StatusCode)
			}
		})
	}
	wg.Wait()
	if used := static.Used(h); used > 4096 {
		t.Errorf("%d bytes are kept, limit is 4096", used)
	}
}

func TestHas(t *testing.T) {
	t.Parallel()
	h, _ := site(t, static.Options{}, map[string]string{"a.css": "x", "page.html": "x", "dir/index.html": "x", "404.html": "x", "200.html": "x", ".env": "x"})
	for path, want := range map[string]bool{
		"/a.css": true, "/page": true, "/dir": true, "/dir/": true, "/": false, "/none": false, "/.env": false, "/../a.css": true,
	} {
		if got := h.Has(path); got != want {
			t.Errorf("Has(%q) is %v", path, got)
		}
	}
}
