package lambdahttp_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lambdahttp"
)

func TestReplyRoundTrip(t *testing.T) {
	for _, test := range []struct {
		status int
		header http.Header
		body   string
	}{
		{200, http.Header{"Content-Type": {"text/html; charset=utf-8"}, "X-A": {"1"}}, "<h1>Grüße</h1>\n"},
		{302, http.Header{"Location": {"/x"}, "Set-Cookie": {"a=1; Expires=Wed, 25 Nov 2026 09:00:00 GMT", "b=2", "c=3"}}, ""},
		{200, http.Header{"Content-Type": {"image/png"}}, "\x89PNG\r\n\x1a\n\x00"},
		{200, http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}, "plain"},
		{500, http.Header{"Content-Type": {"application/octet-stream"}}, strings.Repeat("\x00", 4096)},
	} {
		for _, f := range formats {
			data, err := lambdahttp.EncodeReply(f, test.status, test.header, []byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			r, err := lambdahttp.DecodeReply(f, "GET", data)
			if err != nil {
				t.Fatalf("%s: %v: %s", f, err, data)
			}
			checkReply(t, r, test.status, test.header, test.body)
			if len(data) > 6000 {
				t.Errorf("%s: a body of %d bytes became a reply of %d", f, len(test.body), len(data))
			}
		}
	}
	for _, status := range []int{0, 101, 199, 600} {
		if _, err := lambdahttp.EncodeReply(v2, status, nil, nil); aloft.ErrorCode(err) != aloft.Failed {
			t.Errorf("status %d: %v", status, err)
		}
	}
	h := http.Header{"Connection": {"X-Hop, close"}, "X-Hop": {"1"}, "Content-Length": {"9"}, "Transfer-Encoding": {"chunked"}, "X-End": {"1", "2"}}
	data, err := lambdahttp.EncodeReply(alb, 299, h, nil)
	if want := `{"statusCode":299,"headers":{"X-End":"1,2"},"statusDescription":"299","body":"","isBase64Encoded":false}`; err != nil || string(data) != want {
		t.Errorf("%v: %s, want %s", err, data, want)
	}
}

// TestSeveralCookiesByCase checks that behind a load balancer without multi-value headers no cookie hides another.
func TestSeveralCookiesByCase(t *testing.T) {
	h := http.Header{}
	for i := range 40 {
		h.Add("Set-Cookie", "c"+strconv.Itoa(i)+"=1")
	}
	data, err := lambdahttp.EncodeReply(alb, http.StatusOK, h, nil)
	if err != nil {
		t.Fatal(err)
	}
	var reply struct{ Headers map[string]string }
	if err := json.Unmarshal(data, &reply); err != nil || len(reply.Headers) != 40 {
		t.Errorf("%d headers: %v: %s", len(reply.Headers), err, data)
	}
}
