package hostile_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	neturl "net/url"
	"strings"
	"testing"
	"time"
)

// probe is a request of HARDENING.md B3 as bytes, and what is right.
type probe struct {
	name   string
	text   string   // after which "Host: shop.localhost" and the end of the head are added, unless it has an end
	status string   // of the first answer
	has    []string // in what the app says it sees
	not    []string // nowhere in the answers
}

const (
	getEcho  = "GET /echo/ HTTP/1.1\r\n"
	postEcho = "POST /echo/ HTTP/1.1\r\nHost: shop.localhost\r\n"
	smuggled = "GET /echo/smuggled HTTP/1.1\r\nHost: shop.localhost\r\n\r\n"
)

func identityProbes() []probe {
	return []probe{
		{"36 X-Forwarded-For", getEcho + "X-Forwarded-For: 6.6.6.6\r\n", "200", []string{"X-Forwarded-For: 127.0.0.1"}, []string{"6.6.6.6"}},
		{"36 X-Forwarded-Proto", getEcho + "X-Forwarded-Proto: https\r\n", "200", []string{"X-Forwarded-Proto: http\r\n"}, nil},
		{"36 X-Forwarded-Host", getEcho + "X-Forwarded-Host: evil\r\n", "200", nil, []string{"evil"}},
		{"37 X-Real-IP", getEcho + "X-Real-IP: 6.6.6.6\r\n", "200", []string{"X-Real-Ip: 127.0.0.1"}, []string{"6.6.6.6"}},
		{"37 Forwarded", getEcho + "Forwarded: for=6.6.6.6\r\n", "200", nil, []string{"6.6.6.6"}},
		{"37 True-Client-IP", getEcho + "True-Client-IP: 6.6.6.6\r\n", "200", nil, []string{"6.6.6.6"}},
		{"37 CF-Connecting-IP", getEcho + "CF-Connecting-IP: 6.6.6.6\r\n", "200", nil, []string{"6.6.6.6"}},
		{"38 X_Forwarded_For", getEcho + "X_Forwarded_For: 6.6.6.6\r\n", "200", nil, []string{"6.6.6.6"}},
		{"38 Remote_User", getEcho + "Remote_User: evil\r\n", "200", nil, []string{"evil"}},
		{"38 Remote.User", getEcho + "Remote.User: evil\r\n", "200", nil, []string{"evil"}},
		{"39 Connection names ours", getEcho + "Connection: close, X-Forwarded-For, X-Real-Ip\r\n", "200", []string{"X-Forwarded-For: 127.0.0.1", "X-Real-Ip: "}, nil},
		{"39 Connection names theirs", getEcho + "Connection: close, X-Secret\r\nX-Secret: evil\r\n", "200", nil, []string{"evil"}},
		{"44 Proxy", getEcho + "Proxy: http://evil\r\n", "200", nil, []string{"evil"}},
		{"44 Lambda-Runtime", getEcho + "Lambda-Runtime-Aws-Request-Id: evil\r\n", "200", nil, []string{"evil"}},
	}
}

func framingProbes() []probe {
	return []probe{
		{"40 CL and TE", postEcho + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, "400", nil, []string{"app sees"}},
		{"40 TE and CL", postEcho + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + smuggled, "400", nil, []string{"app sees"}},
		{"41 chunk with bare LF", postEcho + "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n", "400", nil, []string{"app sees"}},
		{"41 chunk extension with bare LF", postEcho + "Transfer-Encoding: chunked\r\n\r\n1;a\nx\r\n0\r\n\r\n", "400", nil, []string{"app sees"}},
		{"41 TE unknown", postEcho + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "400", nil, []string{"app sees"}},
		{"41 TE list", postEcho + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "400", nil, []string{"app sees"}},
		{"41 TE twice", postEcho + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", "400", nil, []string{"app sees"}},
		{"41 space before colon", postEcho + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "400", nil, []string{"app sees"}},
		{"41 TE in HTTP/1.0", "POST /echo/ HTTP/1.0\r\nHost: shop.localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400", nil, []string{"app sees"}},
		{"41 two lengths", postEcho + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "400", nil, []string{"app sees"}},
		{"41 length twice", postEcho + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", "400", nil, []string{"app sees"}},
		{"41 length signed", postEcho + "Content-Length: +1\r\n\r\nx", "400", nil, []string{"app sees"}},
		{"41 two hosts", getEcho + "Host: evil\r\n", "400", nil, []string{"app sees"}},
		{"41 no host", getEcho + "\r\n", "400", nil, []string{"app sees"}},
		{"41 NUL", getEcho + "X: a\x00b\r\n", "400", nil, []string{"app sees"}},
		{"41 folded line", getEcho + "X: a\r\n b\r\n", "400", nil, []string{"app sees"}},
		{"41 chunk size signed", postEcho + "Transfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n", "400", nil, []string{"app sees"}},
	}
}

func methodProbes() []probe {
	return []probe{
		{"42 CONNECT", "CONNECT shop.localhost:22 HTTP/1.1\r\n", "405", nil, []string{"app sees"}},
		{"42 TRACE", "TRACE /echo/ HTTP/1.1\r\nCookie: evil\r\n", "405", nil, []string{"evil"}},
		{"43 Upgrade: h2c", getEcho + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", "200", nil, []string{"h2c", "Http2-Settings"}},
		{"43 Upgrade of a POST", postEcho + "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n", "200", nil, []string{"Upgrade: "}},
		{"43 HTTP/2 with prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", notHTTP1, nil, []string{"app sees"}},
		{"45 dots", "GET /echo/..%2f/./%61//b HTTP/1.1\r\n", "200", []string{"GET /echo/..%2f/./%61//b "}, nil},
		{"45 space in the target", "GET /echo/a b HTTP/1.1\r\n", "400", nil, []string{"app sees"}},
		{"45 absolute form of another host", "GET http://evil.localhost/echo/ HTTP/1.1\r\n", "404", nil, []string{"app sees"}},
		{"46 40 KB of head", getEcho + "X: " + strings.Repeat("x", 40<<10) + "\r\n", "431", nil, []string{"app sees"}},
		{"46 5,000 lines", getEcho + strings.Repeat("X: yyyyyyyy\r\n", 5000), "431", nil, []string{"app sees"}},
	}
}

// answers are what came back: the first, and what followed it.
type answers struct{ status, body, rest string }

// ask sends the probe, and behind it a request after which the server closes.
func (p probe) ask(t *testing.T, addr string) answers {
	t.Helper()
	text := p.text
	if !strings.Contains(text, "\r\n\r\n") {
		text += "Host: shop.localhost\r\n\r\n"
	}
	text += "GET /echo/last HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n"
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.WriteString(conn, text)
	r := bufio.NewReader(conn)
	method, _, _ := strings.Cut(p.text, " ")
	res, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		return answers{rest: err.Error()}
	}
	body, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	rest, _ := io.ReadAll(r) // a reset after the answer is an end as well
	return answers{res.Status, string(body), string(rest)}
}

// notHTTP1 is the status of what is answered in another protocol: what follows is not read as HTTP/1.1 then.
const notHTTP1 = "-"

// wrong says what is wrong with the answers, "" for nothing.
func (p probe) wrong(got answers) string {
	if p.status == notHTTP1 && got.status == "" && strings.Contains(got.rest, "malformed HTTP response") {
		return ""
	}
	if !strings.HasPrefix(got.status, p.status) {
		return fmt.Sprintf("the answer is %q, not %s", got.status, p.status)
	}
	if strings.Contains(got.body+got.rest, "/smuggled") {
		return "a request was smuggled"
	}
	for _, text := range p.has {
		if !strings.Contains(got.body, text) {
			return fmt.Sprintf("the app does not see %q", text)
		}
	}
	for _, text := range p.not {
		if strings.Contains(got.body, text) {
			return fmt.Sprintf("there is %q", text)
		}
	}
	return ""
}

// TestProbes is goal G17: 40 requests that a gateway must not pass on as they are.
func TestProbes(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	s.Serve(t)
	s.Up(t, s.dir)
	all := probes()
	right := 0
	for _, p := range all {
		got := p.ask(t, s.Addr)
		if wrong := p.wrong(got); wrong != "" {
			t.Errorf("%s: %s:\n%.600q", p.name, wrong, got.body)
			continue
		}
		right++
	}
	t.Logf("%d of %d probes are answered right", right, len(all))
	if len(all) < 40 {
		t.Errorf("only %d probes", len(all))
	}
}

func probes() []probe {
	return append(append(identityProbes(), framingProbes()...), methodProbes()...)
}

// TestProbesSeeFailures is the control: the proxy of Go's library, as it comes, passes on much of it.
func TestProbesSeeFailures(t *testing.T) {
	t.Parallel()
	app := httptest.NewServer(http.HandlerFunc(echo))
	defer app.Close()
	target, err := neturl.Parse(app.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	})
	defer proxy.Close()
	wrong := 0
	for _, p := range probes() {
		if why := p.wrong(p.ask(t, proxy.Listener.Addr().String())); why != "" {
			t.Logf("%s: %s", p.name, why)
			wrong++
		}
	}
	if wrong < 5 {
		t.Errorf("only %d probes fail before httputil.ReverseProxy: they show little", wrong)
	}
}
