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

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/aloft-run/aloft/internal/static"
)

var long = strings.Repeat("body { color: red }\n", 200)

// site is a handler for a directory with files.
func site(t *testing.T, options static.Options, files map[string]string) (http.Handler, string) {
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

func TestConditional(t *testing.T) {
	t.Parallel()
	h, dir := site(t, static.Options{}, files)
	plain, zipped := get(h, "/css/style.css"), get(h, "/css/style.css", "Accept-Encoding", "gzip")
	tag, zippedTag := plain.Header.Get("Etag"), zipped.Header.Get("Etag")
	if !strings.HasPrefix(tag, `"`) || tag == zippedTag {
		t.Fatalf("ETags %s and %s", tag, zippedTag)
	}
	for _, c := range []struct {
		name   string
		header []string
		status int
	}{
		{"same", []string{"If-None-Match", tag}, 304},
		{"weak", []string{"If-None-Match", "W/" + tag}, 304},
		{"one of several", []string{"If-None-Match", `"x", ` + tag}, 304},
		{"any", []string{"If-None-Match", "*"}, 304},
		{"other", []string{"If-None-Match", `"x"`}, 200},
		{"of another encoding", []string{"If-None-Match", zippedTag}, 200},
		{"encoded", []string{"If-None-Match", zippedTag, "Accept-Encoding", "gzip"}, 304},
		{"If-Match", []string{"If-Match", tag}, 200},
		{"If-Match other", []string{"If-Match", `"x"`}, 412},
	} {
		r := get(h, "/css/style.css", c.header...)
		if r.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.name, r.StatusCode, c.status)
		}
		if r.StatusCode == http.StatusNotModified && (r.Header.Get("Etag") == "" || r.Header.Get("Vary") == "" || r.Header.Get("Cache-Control") == "") {
			t.Errorf("%s: 304 without the headers of a 200: %v", c.name, r.Header)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "css/style.css"), []byte(long+"more"), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := get(h, "/css/style.css", "If-None-Match", tag); r.StatusCode != http.StatusOK || r.Header.Get("Etag") == tag {
		t.Errorf("after a change: %d %s", r.StatusCode, r.Header.Get("Etag"))
	}
}

func TestRange(t *testing.T) {
	t.Parallel()
	h, _ := site(t, static.Options{}, files)
	tag := get(h, "/css/style.css").Header.Get("Etag")
	for _, c := range []struct {
		header []string
		status int
		body   string
	}{
		{[]string{"Range", "bytes=0-3"}, 206, "body"},
		{[]string{"Range", "bytes=-4"}, 206, "ed }\n"[1:]},
		{[]string{"Range", "bytes=0-3", "Accept-Encoding", "gzip, zstd"}, 206, "body"},
		{[]string{"Range", "bytes=0-3", "If-Range", tag}, 206, "body"},
		{[]string{"Range", "bytes=0-3", "If-Range", `"x"`}, 200, long},
		{[]string{"Range", "bytes=99999-"}, 416, ""},
		{[]string{"Range", "lines=1-2"}, 416, ""},
	} {
		r := get(h, "/css/style.css", c.header...)
		if got := text(t, r.Body); r.StatusCode != c.status || c.body != "" && got != c.body || r.Header.Get("Content-Encoding") != "" {
			t.Errorf("%v: %d %.20q", c.header, r.StatusCode, got)
		}
	}
	if r := get(h, "/css/style.css", "Range", "bytes=0-1,5-6"); r.StatusCode != http.StatusPartialContent || !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/byteranges") {
		t.Errorf("two ranges: %d %s", r.StatusCode, r.Header.Get("Content-Type"))
	}
}

func TestEncoding(t *testing.T) {
	t.Parallel()
	h, _ := site(t, static.Options{}, files)
	for _, c := range []struct{ path, accept, want string }{
		{"/css/style.css", "", ""},
		{"/css/style.css", "gzip", "gzip"},
		{"/css/style.css", "gzip, deflate, br, zstd", "zstd"},
		{"/css/style.css", "GZIP;Q=0.5 , zstd;q=0.4", "gzip"},
		{"/css/style.css", "zstd;q=0, gzip;q=0", ""},
		{"/css/style.css", "*", "zstd"},
		{"/css/style.css", "zstd;q=0, *", "gzip"},
		{"/css/style.css", "br", ""},
		{"/css/style.css", "gzip;q=x", ""},
		{"/css/style.css", "identity, gzip;q=0.5", ""},
		{"/img/a.png", "gzip, zstd", ""},
		{"/LICENSE", "gzip, zstd", ""},
	} {
		r := get(h, c.path, "Accept-Encoding", c.accept)
		if got := r.Header.Get("Content-Encoding"); got != c.want {
			t.Errorf("%s of %q: %q, want %q", c.path, c.accept, got, c.want)
		}
		if compressible := c.path != "/img/a.png"; (r.Header.Get("Vary") == "Accept-Encoding") != compressible {
			t.Errorf("%s: Vary %q", c.path, r.Header.Get("Vary"))
		}
		if got := text(t, decoded(t, r)); got != files[c.path[1:]] {
			t.Errorf("%s of %q: content differs", c.path, c.accept)
		}
	}
}

func decoded(t *testing.T, r *http.Response) io.Reader {
	t.Helper()
	switch r.Header.Get("Content-Encoding") {
	case "gzip":
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return z
	case "zstd":
		z, err := zstd.NewReader(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(z.Close)
		return z
	}
	return r.Body
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
