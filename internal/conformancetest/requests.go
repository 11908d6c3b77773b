package conformancetest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func (s *suite) methods(t *testing.T) {
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		if seen := s.echo(t, method, "/m", nil); seen.Method != method || seen.Length != 0 {
			t.Errorf("%s reaches the app as %+v", method, seen)
		}
	}
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		if seen := s.echo(t, method, "/m", []byte("some text"), "Content-Type", "text/plain"); seen.Length != 9 || seen.Header.Get("Content-Type") != "text/plain" {
			t.Errorf("%s with a body reaches the app as %+v", method, seen)
		}
	}
	if a := s.do(t, "HEAD", "/m", nil); a.StatusCode != http.StatusOK || len(a.body) != 0 || a.Header.Get("X-Method") != "HEAD" {
		t.Errorf("HEAD is answered %s %v %q", a.Status, a.Header, a.body)
	}
}

func (s *suite) paths(t *testing.T) {
	for target, path := range map[string]string{
		"/": "/", "/a/b/": "/a/b/", "/a%20b": "/a b", "/a+b": "/a+b", "/%C3%BC/%E2%82%AC": "/ü/€", "/a%3Fb": "/a?b", "/a%25b": "/a%b", "/a;b=c,d": "/a;b=c,d",
		"/a@b:c": "/a@b:c", "/~x/$y": "/~x/$y", "/a%2Fb": "/a/b", "/a.b/..c": "/a.b/..c",
	} {
		if seen := s.echo(t, "GET", target, nil); seen.Path != path || seen.Query != "" {
			t.Errorf("%s reaches the app as %q, not %q, with the query %q", target, seen.Path, path, seen.Query)
		}
	}
}

func (s *suite) queries(t *testing.T) {
	for _, query := range []string{"a=1&b=2", "q=a%26b%3Dc", "q=a+b", "q=a%20b", "empty=", "u=%C3%BC", "q=%2B", "slash=a/b?c", "a=1&a=2&a=1"} {
		want, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		for name, all := range want {
			if s.OneValue {
				want[name] = all[len(all)-1:]
			}
		}
		seen := s.echo(t, "GET", "/q?"+query, nil)
		if got, err := url.ParseQuery(seen.Query); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("the query %s reaches the app as %s", query, seen.Query)
		}
	}
}

func (s *suite) fields(t *testing.T) {
	const trace, clientTrace = "X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678"
	long := strings.Repeat("x", 6000)
	seen := s.echo(t, "GET", "/f", nil, "X-One", "1", "X-Repeated", "a", "X-Repeated", "b", "X-Long", long, "Accept", "text/html, */*;q=0.1", "Authorization", "Bearer abc",
		"User-Agent", "suite/1", "Referer", "http://x/?a=1", trace, clientTrace)
	want := map[string]string{"X-One": "1", "X-Repeated": "a, b", "X-Long": long, "Accept": "text/html, */*;q=0.1", "Authorization": "Bearer abc", "User-Agent": "suite/1", "Referer": "http://x/?a=1"}
	if s.OneValue {
		want["X-Repeated"] = "b"
	}
	want[trace] = cmp.Or(s.Trace, clientTrace)
	for name, value := range want {
		if values(seen.Header, name) != strings.ReplaceAll(value, ", ", ",") {
			t.Errorf("%s reaches the app as %q", name, seen.Header[name])
		}
	}
	if seen.Host != s.Host {
		t.Errorf("the host reaches the app as %q, not %q", seen.Host, s.Host)
	}
	if a := s.do(t, "GET", "/repeated", nil); values(a.Header, "X-Repeated") != "one,two" || a.Header.Get("X-Umlaut") != "grün" {
		t.Errorf("the client gets %v", a.Header)
	}
}

// spoofing sends what only the platform may say.
func (s *suite) spoofing(t *testing.T) {
	names := []string{
		"X-Real-Ip", "X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Request-Id", "X-Aloft-Event-Source", "X-Amzn-Request-Context", "X-Amzn-Lambda-Context",
		"X-Amz-Tenant-Id", "True-Client-Ip", "X-Original-Url", "X_Aloft_Event_Source", "X_Forwarded_For", "Lambda-Runtime-Trace-Id",
	}
	var header []string
	for _, name := range names {
		header = append(header, name, "6.6.6.6")
	}
	seen := s.echo(t, "GET", "/spoof", nil, header...)
	for name, all := range seen.Header {
		if strings.Contains(strings.Join(all, " "), "6.6.6.6") && !strings.Contains(name, "Context") { // the gateway's own record of the request
			t.Errorf("the client's %s reaches the app: %q", name, all)
		}
	}
	for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "X-Forwarded-Proto", "X-Request-Id"} {
		if len(seen.Header[name]) != 1 || seen.Header.Get(name) == "" {
			t.Errorf("the app is told %s %q", name, seen.Header[name])
		}
	}
	if values(seen.Header, "X-Forwarded-Host") != s.Host {
		t.Errorf("the app is told X-Forwarded-Host %q", seen.Header["X-Forwarded-Host"])
	}
}

func (s *suite) cookies(t *testing.T) {
	if seen := s.echo(t, "GET", "/c", nil, "Cookie", "a=1; b=two%20; c=\"3\""); values(seen.Header, "Cookie") != "a=1; b=two%20; c=\"3\"" {
		t.Errorf("cookies reach the app as %q", seen.Header["Cookie"])
	}
	a := s.do(t, "GET", "/cookies", nil)
	if all := a.Header.Values("Set-Cookie"); len(all) != 2 || all[0] != "a=1; Path=/; HttpOnly" || !strings.HasPrefix(all[1], `b="two, three"; Expires=Sun, 17 Mar 2030`) {
		t.Errorf("the client gets the cookies %q", all)
	}
}

func (s *suite) statuses(t *testing.T) {
	for code, body := range map[string]string{
		"200": "status 200", "201": "status 201", "204": "", "301": "status 301", "302": "status 302", "304": "", "404": "status 404", "409": "status 409", "418": "status 418",
		"500": "status 500", "503": "status 503",
	} {
		a := s.do(t, "GET", "/status/"+code, nil)
		if !strings.HasPrefix(a.Status, code) || string(a.body) != body || a.Header.Get("X-Own") != "yes" {
			t.Errorf("status %s comes as %s %q %v", code, a.Status, a.body, a.Header)
		}
		if code[0] == '3' && a.Header.Get("Location") != "/elsewhere?x=1" {
			t.Errorf("status %s leads to %q", code, a.Header.Get("Location"))
		}
	}
}

func (s *suite) binary(t *testing.T) {
	all := make([]byte, 1000)
	for i := range all {
		all[i] = byte(i)
	}
	sum := sha256.Sum256(all)
	for _, kind := range []string{"application/octet-stream", "image/png", "text/plain", "", "multipart/form-data; boundary=x"} {
		seen := s.echo(t, "POST", "/b", all, "Content-Type", kind)
		if seen.SHA256 != hex.EncodeToString(sum[:]) || seen.Header.Get("Content-Type") != kind {
			t.Errorf("bytes of type %q reach the app as %d others of type %q", kind, seen.Length, seen.Header.Get("Content-Type"))
		}
	}
	if a := s.do(t, "GET", "/bytes/1000", nil); !bytes.Equal(a.body, all) || a.Header.Get("Content-Type") != "image/png" {
		t.Errorf("bytes come as %d others, %v", len(a.body), a.Header)
	}
	empty := ""
	if s.Fills {
		empty = "\n"
	}
	if a := s.do(t, "GET", "/bytes/0", nil); a.StatusCode != http.StatusOK || string(a.body) != empty {
		t.Errorf("nothing comes as %s %q", a.Status, a.body)
	}
	if a := s.do(t, "GET", "/gzip", nil); a.Header.Get("Content-Encoding") != "gzip" || !bytes.HasPrefix(a.body, []byte("\x1f\x8b")) {
		t.Errorf("a compressed body comes as %.10q, %v", a.body, a.Header)
	}
	form := []byte("a=1&b=%C3%BC+x")
	if seen := s.echo(t, "POST", "/b", form, "Content-Type", "application/x-www-form-urlencoded"); seen.Length != len(form) {
		t.Errorf("a form reaches the app with %d bytes", seen.Length)
	}
}

func (s *suite) large(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 3<<20/16)
	sum := sha256.Sum256(body)
	for _, kind := range []string{"text/plain", "image/png"} {
		if seen := s.echo(t, "PUT", "/l", body, "Content-Type", kind); seen.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("3 MB of type %s reach the app as %d other bytes", kind, seen.Length)
		}
	}
	if a := s.do(t, "GET", "/bytes/3000000", nil); len(a.body) != 3_000_000 || a.body[2_999_999] != byte(2_999_999%256) {
		t.Errorf("3 MB come as %d bytes", len(a.body))
	}
	if a := s.do(t, "POST", "/ignores", body); a.StatusCode != http.StatusRequestEntityTooLarge || string(a.body) != "no, thanks" {
		t.Errorf("an answer to a body that the app does not read comes as %s %q", a.Status, a.body)
	}
	for _, target := range []string{"/zeros/8000000", "/bytes/8000000"} {
		a := s.do(t, "GET", target, nil)
		switch {
		case s.MaxReply == 0 && (a.StatusCode != http.StatusOK || len(a.body) != 8_000_000):
			t.Errorf("8 MB come as %s with %d bytes", a.Status, len(a.body))
		case s.MaxReply != 0 && (a.StatusCode != http.StatusBadGateway || !strings.Contains(string(a.body), "too large")):
			t.Errorf("8 MB, which are too many, come as %s %.200q", a.Status, a.body)
		}
	}
}
