package static_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/aloft-run/aloft/internal/static"
)

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
