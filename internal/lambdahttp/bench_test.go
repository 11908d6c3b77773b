package lambdahttp_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/lambdahttp"
)

// The shapes that encoding/json needs for what the codec does, as the usual libraries have them.
type (
	plainContext struct {
		AccountID    string `json:"accountId"`
		APIID        string `json:"apiId"`
		DomainName   string `json:"domainName"`
		DomainPrefix string `json:"domainPrefix"`
		HTTP         struct {
			Method    string `json:"method"`
			Path      string `json:"path"`
			Protocol  string `json:"protocol"`
			SourceIP  string `json:"sourceIp"`
			UserAgent string `json:"userAgent"`
		} `json:"http"`
		RequestID string `json:"requestId"`
		RouteKey  string `json:"routeKey"`
		Stage     string `json:"stage"`
		Time      string `json:"time"`
		TimeEpoch int64  `json:"timeEpoch"`
	}
	plainEvent struct {
		Version         string            `json:"version"`
		RouteKey        string            `json:"routeKey"`
		RawPath         string            `json:"rawPath"`
		RawQuery        string            `json:"rawQueryString"`
		Cookies         []string          `json:"cookies,omitempty"`
		Headers         map[string]string `json:"headers"`
		Query           map[string]string `json:"queryStringParameters,omitempty"`
		Context         plainContext      `json:"requestContext"`
		Body            string            `json:"body,omitempty"`
		IsBase64Encoded bool              `json:"isBase64Encoded"`
	}
	plainReply struct {
		StatusCode      int               `json:"statusCode"`
		Headers         map[string]string `json:"headers"`
		Cookies         []string          `json:"cookies"`
		Body            string            `json:"body"`
		IsBase64Encoded bool              `json:"isBase64Encoded"`
	}
)

type load struct {
	name string
	body []byte
	kind string
}

func loads() []load {
	random := func(n int) []byte {
		b := make([]byte, n)
		if _, err := rand.NewChaCha8([32]byte{1}).Read(b); err != nil {
			panic(err) // it has no errors
		}
		return b
	}
	return []load{
		{"1KB-text", []byte(strings.Repeat("The quick brown fox jumps over the lazy dog. ", 23)), "text/plain"},
		{"1KB-json", []byte(`[` + strings.Repeat(`{"name":"value"},`+"\n", 57) + `{}]`), "application/json"},
		{"100KB-base64", random(100 << 10), "image/png"},
		{"5MB-base64", random(5 << 20), "image/png"},
	}
}

func (l *load) request(b *testing.B) *http.Request {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "http://app.example.com/items/42?tag=a&tag=b&q=x%20y", http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	r.Header = http.Header{
		"Accept": {"*/*"}, "Accept-Encoding": {"gzip, br"}, "Content-Type": {l.kind}, "Cookie": {"session=0123456789abcdef; theme=dark"},
		"User-Agent": {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"}, "X-Forwarded-For": {"203.0.113.7"},
		"X-Forwarded-Port": {"443"}, "X-Forwarded-Proto": {"https"}, "X-Request-Id": {"8f1c3d2e-7a54-4b0c-9d1e-2f6a7b8c9d0e"},
	}
	return r
}

// BenchmarkEncode makes the event of a request, beside the same with encoding/json.
func BenchmarkEncode(b *testing.B) {
	for _, l := range loads() {
		r, m := l.request(b), meta(v2)
		b.Run(l.name+"/codec", func(b *testing.B) {
			for b.Loop() {
				if _, err := lambdahttp.Encode(v2, r, l.body, m); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(l.name+"/encoding-json", func(b *testing.B) {
			for b.Loop() {
				if _, err := plainEncode(r, m, &l); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func plainEncode(r *http.Request, m *lambdahttp.Meta, l *load) ([]byte, error) {
	e := plainEvent{Version: "2.0", RouteKey: m.RouteKey, RawPath: r.URL.Path, RawQuery: r.URL.RawQuery, Headers: map[string]string{}, Query: map[string]string{}}
	for name, values := range r.Header {
		e.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	for name, values := range r.URL.Query() {
		e.Query[name] = strings.Join(values, ",")
	}
	e.Cookies = strings.Split(r.Header.Get("Cookie"), "; ")
	e.Context = plainContext{AccountID: m.AccountID, APIID: m.APIID, DomainName: r.Host, RequestID: m.RequestID, Time: m.Time.Format(time.RFC1123), TimeEpoch: m.Time.UnixMilli()}
	e.Context.HTTP.Method, e.Context.HTTP.Path, e.Context.HTTP.SourceIP = r.Method, r.URL.Path, m.SourceIP
	e.Body, e.IsBase64Encoded = string(l.body), l.kind == "image/png"
	if e.IsBase64Encoded {
		e.Body = base64.StdEncoding.EncodeToString(l.body)
	}
	return json.Marshal(&e)
}

// BenchmarkDecode reads the reply of a function with the same body, beside the same with encoding/json.
func BenchmarkDecode(b *testing.B) {
	for _, l := range loads() {
		h := http.Header{"Content-Type": {l.kind}, "Cache-Control": {"no-store"}, "X-Request-Id": {"8f1c3d2e"}, "Set-Cookie": {"a=1; Path=/"}}
		data, err := lambdahttp.EncodeReply(v2, http.StatusOK, h, l.body)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(l.name+"/codec", func(b *testing.B) {
			for b.Loop() {
				r, err := lambdahttp.DecodeReply(v2, http.MethodPost, data)
				if err != nil || r.Length != int64(len(l.body)) {
					b.Fatal(err)
				}
			}
		})
		b.Run(l.name+"/encoding-json", func(b *testing.B) {
			for b.Loop() {
				if _, err := plainDecode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func plainDecode(data []byte) (io.Reader, error) {
	var r plainReply
	if err := json.Unmarshal(data, &r); err != nil || !r.IsBase64Encoded {
		return strings.NewReader(r.Body), err
	}
	body, err := base64.StdEncoding.DecodeString(r.Body)
	return bytes.NewReader(body), err
}

// BenchmarkShim is the other direction, as inside of Lambda: read the event, write the reply.
func BenchmarkShim(b *testing.B) {
	for _, l := range loads() {
		event, err := lambdahttp.Encode(v2, l.request(b), l.body, meta(v2))
		if err != nil {
			b.Fatal(err)
		}
		h := http.Header{"Content-Type": {l.kind}, "Cache-Control": {"no-store"}, "X-Request-Id": {"8f1c3d2e"}}
		b.Run(l.name+"/codec", func(b *testing.B) {
			for b.Loop() {
				e, err := lambdahttp.DecodeEvent(event)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := lambdahttp.EncodeReply(v2, http.StatusOK, h, e.Body); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(l.name+"/encoding-json", func(b *testing.B) {
			for b.Loop() {
				if err := plainShim(event, l.kind); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func plainShim(event []byte, kind string) error {
	var e plainEvent
	if err := json.Unmarshal(event, &e); err != nil {
		return err
	}
	r := plainReply{StatusCode: 200, Headers: map[string]string{"content-type": kind, "cache-control": "no-store", "x-request-id": "8f1c3d2e"}, Body: e.Body}
	if e.IsBase64Encoded {
		body, err := base64.StdEncoding.DecodeString(e.Body)
		if err != nil {
			return err
		}
		r.Body, r.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	_, err := json.Marshal(&r)
	return err
}
