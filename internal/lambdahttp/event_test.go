package lambdahttp_test

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lambdahttp"
)

// TestDecodeEvent decodes events in the shapes that AWS's documentation and its Go library show.
func TestDecodeEvent(t *testing.T) {
	archive, err := txtar.ParseFile(filepath.Join("testdata", "events.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	events := map[string][]byte{}
	for _, file := range archive.Files {
		events[file.Name] = file.Data
	}
	for name, want := range map[string]struct {
		lambdahttp.Event
		url, body string
	}{
		"http-api": {lambdahttp.Event{Format: v2, Method: "POST", Host: "id.execute-api.us-east-1.amazonaws.com", SourceIP: "192.0.2.1", Header: http.Header{
			"Header1": {"value1"}, "Header2": {"value1,value2"}, "Cookie": {"cookie1; cookie2"},
		}}, "/my/path%20%3F%25?parameter1=value1&parameter1=value2&parameter2=a+b%20c", "Hello from Lambda"},
		"http-api-1.0": {lambdahttp.Event{Format: v1, Method: "GET", Host: "id.execute-api.us-east-1.amazonaws.com", SourceIP: "192.0.2.1", Header: http.Header{
			"Header1": {"value1"}, "Header2": {"value1", "value2"},
		}}, "/my/gr%C3%BC%C3%9Fe%2541%3F?parameter1=value1&parameter1=value2&parameter2=a+%26+b", ""},
		"rest-api": {lambdahttp.Event{Format: v1, Method: "POST", Host: "gy415nuibc.execute-api.us-east-1.amazonaws.com", SourceIP: "192.0.2.1", Header: http.Header{
			"Accept": {"*/*"}, "Headername": {"headerValue"},
		}}, "/hello/a%2Fb?name=me", "{\r\n\t\"a\": 1\r\n}"},
		"function-url": {lambdahttp.Event{Format: furl, Method: "POST", Host: "abc.lambda-url.us-west-2.on.aws", SourceIP: "192.0.2.1", Header: http.Header{
			"Header1": {"value1"}, "Cookie": {"cookie1; cookie2"},
		}}, "/my%2Fpath?parameter1=value1", "Hello from client!"},
		"alb": {lambdahttp.Event{Format: alb, Method: "GET", Host: "lambda-alb-123578498.us-east-1.elb.amazonaws.com", SourceIP: "192.0.2.1", Header: http.Header{
			"Accept": {"*/*"}, "X-Forwarded-For": {"198.51.100.1, 192.0.2.1"},
		}}, "/?query=1234%20ABCD", ""},
		"alb-multi": {lambdahttp.Event{Format: albM, Method: "GET", Host: "lambda-alb-123578498.us-east-1.elb.amazonaws.com", SourceIP: "192.0.2.1", Header: http.Header{
			"X-Forwarded-For": {"192.0.2.1"}, "X-Tag": {"a", "b"},
		}}, "/?key=hello&key=a%2Fb", "\x00\xff"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := lambdahttp.DecodeEvent(events[name])
			if err != nil {
				t.Fatal(err)
			}
			if e.Format != want.Format || e.Method != want.Method || e.Host != want.Host || e.SourceIP != want.SourceIP {
				t.Errorf("got %s %s, host %s, from %s", e.Format, e.Method, e.Host, e.SourceIP)
			}
			if e.URL.String() != want.url || string(e.Body) != want.body {
				t.Errorf("got %s with %q, want %s with %q", e.URL, e.Body, want.url, want.body)
			}
			for key, values := range want.Header {
				if strings.Join(e.Header[key], "|") != strings.Join(values, "|") {
					t.Errorf("header %s: %q, want %q", key, e.Header[key], values)
				}
			}
			if len(e.Header) != len(want.Header) || !strings.HasPrefix(string(e.Context), "{") {
				t.Errorf("header %q, context %s", e.Header, e.Context)
			}
		})
	}
}

func TestDecodeEventOfNoRequest(t *testing.T) {
	for _, event := range []string{
		`null`, `[]`, `"x"`, `{}`, `{"Records":[{"eventSource":"aws:sqs","body":"x"}]}`, `{"httpMethod":"GET","path":"/"}`,
		`{"requestContext":{"connectionId":"x","eventType":"MESSAGE"},"body":"x"}`,
		`{"requestContext":{"connectionId":"x"},"httpMethod":"GET","path":"/"}`,
		`{"type":"REQUEST","methodArn":"arn","httpMethod":"GET","path":"/","requestContext":{"identity":{}}}`,
		`{"version":"2.0","type":"REQUEST","routeArn":"arn","rawPath":"/","requestContext":{"http":{"method":"GET"}}}`,
		`{"requestContext":null,"httpMethod":"GET"}`, `{"requestContext":"x","httpMethod":"GET"}`,
	} {
		if e, err := lambdahttp.DecodeEvent([]byte(event)); !errors.Is(err, lambdahttp.ErrNotHTTP) {
			t.Errorf("%s: %+v, %v", event, e, err)
		}
	}
}

func TestDecodeEventRefuses(t *testing.T) {
	v2event := func(more string) string {
		return `{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":"GET"}},` + more + `}`
	}
	for _, test := range []struct{ event, want string }{
		{``, "not JSON"},
		{`{"secret"`, "not JSON"},
		{v2event(`"headers":{"x":"1\r\nsecret: 2"}`), "control characters"},
		{v2event(`"headers":{"x\nsecret":"2"}`), "a header whose name"},
		{v2event(`"cookies":["a\nsecret"]`), "control characters"},
		{v2event(`"headers":"secret"`), "headers: a string"},
		{v2event(`"body":"secret!","isBase64Encoded":true`), "not base64"},
		{v2event(`"body":["secret"]`), "body is an array"},
		{v2event(`"rawPath":{"secret":1}`), "the path is an object"},
		{v2event(`"rawQueryString":1`), "rawQueryString is a number"},
		{`{"rawPath":"/","requestContext":{"http":{"method":"GET /secret HTTP/1.1\r\n"}}}`, "the method is not one"},
		{`{"rawPath":"/","requestContext":{"domainName":"a\r\nsecret: 1","http":{"method":"GET"}}}`, "the host has spaces or control characters"},
		{`{"rawPath":"/","requestContext":{"domainName":"a secret","http":{"method":"GET"}}}`, "the host has"},
		{`{"path":"/","httpMethod":"GET","requestContext":{"domainName":"a\u007fsecret"}}`, "the host has"},
		{`{"path":"/","httpMethod":"GET","requestContext":{"elb":{}},"headers":{"host":"a\tsecret"}}`, "the host has"},
		{`{"path":"/","httpMethod":"GET","requestContext":{"elb":{}},"headers":{"host":"a\nsecret"}}`, "control characters"},
		{`{"rawPath":"/","requestContext":{"http":{"method":1}}}`, "the method is a number"},
		{`{"rawPath":"/","requestContext":{"http":"secret"}}`, "requestContext.http: a string"},
		{`{"httpMethod":"GET","requestContext":{},"multiValueQueryStringParameters":{"a":"secret"}}`, "is a string, not an array"},
		{`{"httpMethod":"GET","requestContext":{},"queryStringParameters":["secret"]}`, "the query's parameters: an array"},
		{`{"httpMethod":"GET","requestContext":{},"queryStringParameters":{"a":{"secret":1}}}`, "a query parameter is an object"},
	} {
		e, err := lambdahttp.DecodeEvent([]byte(test.event))
		if aloft.ErrorCode(err) != aloft.Invalid || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %+v, %v, want %q", test.event, e, err, test.want)
		}
	}
}

// TestDecodeEventEscapes checks that what may not stand in a request line is escaped, and only that.
func TestDecodeEventEscapes(t *testing.T) {
	for _, test := range []struct{ event, want string }{
		{`{"rawPath":"/a b\n%zz%41%?#x\"é","rawQueryString":"a b\r\n#é%zz+","requestContext":{"domainName":"x.lambda-url.y","http":{"method":"GET"}}}`, "/a%20b%0A%25zz%41%25%3F%23x%22%C3%A9?a%20b%0D%0A%23%C3%A9%zz+"},
		{`{"rawPath":"a b%41?","queryStringParameters":{"a":"1 &","b":"2,3"},"requestContext":{"http":{"method":"GET"}}}`, "/a%20b%2541%3F?a=1+%26&b=2%2C3"},
		{`{"requestContext":{"elb":{}},"httpMethod":"GET"}`, "/"},
	} {
		e, err := lambdahttp.DecodeEvent([]byte(test.event))
		if err != nil {
			t.Fatal(err)
		}
		if got := e.URL.RequestURI(); got != test.want {
			t.Errorf("%s: got %s, want %s", test.event, got, test.want)
		}
	}
}
