package lambdahttp_test

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lambdahttp"
)

const (
	v2   = lambdahttp.APIGatewayV2
	v1   = lambdahttp.APIGatewayV1
	furl = lambdahttp.FunctionURL
	alb  = lambdahttp.ALB
	albM = lambdahttp.ALBMulti
)

func TestDecodeReply(t *testing.T) {
	text := http.Header{"Content-Type": {"text/plain"}}
	inferred := http.Header{"Content-Type": {"application/json"}}
	for _, test := range []struct {
		name    string
		formats []lambdahttp.Format
		method  string
		reply   string
		status  int
		header  http.Header
		body    string
	}{
		{"full", formats, "GET", `{"statusCode":201,"headers":{"content-type":"text/plain"},"body":"ok","isBase64Encoded":false}`, 201, text, "ok"},
		{"status as a string", formats, "GET", `{"statusCode":"404","headers":{"Content-Type":"text/plain"},"body":"no"}`, 404, text, "no"},
		{"status as a float", formats, "GET", `{"statusCode":200.0}`, 200, nil, ""},
		{"nothing but a status", formats, "GET", ` {"statusCode" : 200 , "headers":null,"multiValueHeaders":null,"cookies":null,"body":null} `, 200, nil, ""},
		{"base64", formats, "GET", `{"statusCode":200,"headers":{"content-type":"text/plain"},"body":"AP8=","isBase64Encoded":true}`, 200, text, "\x00\xff"},
		{"base64 in lines", formats, "GET", `{"statusCode":200,"headers":{"content-type":"text/plain"},"body":"AP\n8=\n","isBase64Encoded":true}`, 200, text, "\x00\xff"},
		{"escapes", formats, "GET", `{"statusCode":200,"headers":{"content-type":"text/plain"},"body":"a\n\"\\\/\b\f\r\t\u00e4\ud83d\ude00ß"}`, 200, text, "a\n\"\\/\b\f\r\tä😀ß"},
		{"lone surrogate", formats, "GET", `{"statusCode":200,"headers":{"content-type":"text/plain"},"body":"\ud83d"}`, 200, text, "\ufffd"},
		{"escaped keys", formats, "GET", `{"\u0073tatusCode":200,"headers":{"content\u002dtype":"text/plain"},"body":"x"}`, 200, text, "x"},
		{"other case is another key", []lambdahttp.Format{v2}, "GET", `{"StatusCode":201}`, 200, inferred, `{"StatusCode":201}`},
		{"unknown members", formats, "GET", `{"x":{"y":[1,-2.5e+3,true,null,{"z":""}]},"statusCode":200}`, 200, nil, ""},
		{"deep", formats, "GET", `{"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `,"statusCode":200}`, 200, nil, ""},
		{"header scalars", formats, "GET", `{"statusCode":200,"headers":{"x-n":12,"x-b":true,"x-0":null," ":null}}`, 200, http.Header{"X-N": {"12"}, "X-B": {"true"}}, ""},
		{"multi wins", formats, "GET", `{"statusCode":200,"headers":{"x-a":"1","x-b":"2"},"multiValueHeaders":{"X-A":["3","4"]}}`, 200, http.Header{"X-A": {"3", "4"}, "X-B": {"2"}}, ""},
		{"several cookies by case", []lambdahttp.Format{alb, v1}, "GET", `{"statusCode":200,"headers":{"set-cookie":"a=1","Set-Cookie":"b=2"}}`, 200, http.Header{"Set-Cookie": {"a=1", "b=2"}}, ""},
		{"cookies", []lambdahttp.Format{v2, furl}, "GET", `{"statusCode":200,"headers":{"set-cookie":"a=1"},"cookies":["b=2; Path=/","c=3"]}`, 200, http.Header{"Set-Cookie": {"a=1", "b=2; Path=/", "c=3"}}, ""},
		{"cookies in 1.0", []lambdahttp.Format{v1, alb, albM}, "GET", `{"statusCode":200,"cookies":["b=2"]}`, 200, nil, ""},
		{"connection", formats, "GET", `{"statusCode":200,"headers":{"Content-Length":"5","transfer-encoding":"chunked","Connection":"close","Content-Type":"text/plain"},"body":"x"}`, 200, text, "x"},
		{"HEAD", formats, "HEAD", `{"statusCode":200,"headers":{"content-type":"text/plain"},"body":"x"}`, 200, text, ""},
		{"204", formats, "GET", `{"statusCode":204,"headers":{"content-type":"text/plain"},"body":"x"}`, 204, text, ""},
		{"304", formats, "GET", `{"statusCode":304,"headers":{"content-type":"text/plain"},"body":"x"}`, 304, text, ""},
		{"default type", []lambdahttp.Format{v2}, "GET", `{"statusCode":200,"body":"<b>"}`, 200, http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, "<b>"},
		{"default type", []lambdahttp.Format{v1, furl}, "GET", `{"statusCode":200,"body":"<b>"}`, 200, inferred, "<b>"},
		{"default type", []lambdahttp.Format{alb, albM}, "GET", `{"statusCode":200,"body":"<b>"}`, 200, http.Header{"Content-Type": {"application/octet-stream"}}, "<b>"},
		{"object", []lambdahttp.Format{v2, furl}, "GET", `{"hello": "world"}`, 200, inferred, `{"hello": "world"}`},
		{"string", []lambdahttp.Format{v2, furl}, "GET", ` "hello\n" `, 200, inferred, "hello\n"},
		{"number", []lambdahttp.Format{v2, furl}, "GET", `-1.5e3`, 200, inferred, "-1.5e3"},
		{"array", []lambdahttp.Format{v2, furl}, "GET", `[1, "a"]`, 200, inferred, `[1, "a"]`},
		{"null", []lambdahttp.Format{v2, furl}, "GET", `null`, 200, inferred, "null"},
		{"value for HEAD", []lambdahttp.Format{v2, furl}, "HEAD", `[1]`, 200, inferred, ""},
	} {
		for _, f := range test.formats {
			t.Run(test.name+"/"+f.String(), func(t *testing.T) {
				r, err := lambdahttp.DecodeReply(f, test.method, []byte(test.reply))
				if err != nil {
					t.Fatal(err)
				}
				checkReply(t, r, test.status, test.header, test.body)
				bodyless := test.method == "HEAD" || test.status == 204 || test.status == 304
				if length := int64(len(test.body)); bodyless && r.Length != -1 || !bodyless && r.Length != length {
					t.Errorf("length %d for %q", r.Length, test.body)
				}
			})
		}
	}
}

func checkReply(t *testing.T, r *lambdahttp.Reply, status int, header http.Header, body string) {
	t.Helper()
	got, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != status || string(got) != body {
		t.Errorf("got %d with body %q; want %d, %q", r.Status, got, status, body)
	}
	if !maps.EqualFunc(r.Header, header, slices.Equal) {
		t.Errorf("header %q, want %q", r.Header, header)
	}
}

// TestDecodeReplyRefuses checks that replies which AWS answers with 502 are errors that say what is wrong, without the payload.
func TestDecodeReplyRefuses(t *testing.T) {
	only1 := []lambdahttp.Format{v1, alb, albM}
	for _, test := range []struct {
		formats     []lambdahttp.Format
		reply, want string
	}{
		{formats, ``, "not JSON"},
		{formats, `{"statusCode":200,"body":"secret"`, "not JSON"},
		{formats, `{"statusCode":200} secret`, "not JSON"},
		{formats, `{"statusCode":200,}`, "not JSON"},
		{formats, "{\"statusCode\":200,\"body\":\"se\ncret\"}", "not JSON"},
		{only1, `"secret"`, "a string, not an object"},
		{only1, `["secret"]`, "an array, not an object"},
		{only1, `null`, "null, not an object"},
		{only1, `{"hello":"secret"}`, "there is no statusCode"},
		{formats, `{"statusCode":null}`, "statusCode is null, not a number"},
		{formats, `{"statusCode":true}`, "statusCode is a boolean, not a number"},
		{formats, `{"statusCode":{"a":"secret"}}`, "statusCode is an object, not a number"},
		{formats, `{"statusCode":"secret"}`, "statusCode is not a whole number"},
		{formats, `{"statusCode":"NaN"}`, "statusCode is not a whole number"},
		{formats, `{"statusCode":200.5}`, "statusCode is not a whole number"},
		{formats, `{"statusCode":99}`, "statusCode is not in 200 to 599"},
		{formats, `{"statusCode":101}`, "statusCode is not in 200 to 599"},
		{formats, `{"statusCode":600}`, "statusCode is not in 200 to 599"},
		{formats, `{"statusCode":-200}`, "statusCode is not in 200 to 599"},
		{formats, `{"statusCode":1e300}`, "statusCode is not"},
		{formats, `{"statusCode":200,"headers":["secret"]}`, "headers: an array, not an object"},
		{formats, `{"statusCode":200,"headers":{"x":["secret"]}}`, "the value of a header is an array, not a string"},
		{formats, `{"statusCode":200,"multiValueHeaders":{"x":"secret"}}`, "a list in multiValueHeaders is a string, not an array"},
		{formats, `{"statusCode":200,"multiValueHeaders":"secret"}`, "multiValueHeaders: a string, not an object"},
		{formats, `{"statusCode":200,"headers":{"x-a":"1\r\nSet-Cookie: secret"}}`, `control characters in header "x-a"`},
		{formats, `{"statusCode":200,"headers":{"x-a":"1\u0000secret"}}`, `control characters in header "x-a"`},
		{formats, `{"statusCode":200,"multiValueHeaders":{"x-a":["1","2\nsecret"]}}`, `control characters in header "x-a"`},
		{formats, `{"statusCode":200,"headers":{"x\r\nsecret":"1"}}`, "a header whose name"},
		{formats, `{"statusCode":200,"headers":{"x secret":"1"}}`, "a header whose name"},
		{formats, `{"statusCode":200,"headers":{"":"secret"}}`, "a header whose name"},
		{formats, `{"statusCode":200,"headers":{"sécret":"1"}}`, "a header whose name"},
		{[]lambdahttp.Format{v2, furl}, `{"statusCode":200,"cookies":"secret"}`, "cookies is a string, not an array"},
		{[]lambdahttp.Format{v2, furl}, `{"statusCode":200,"cookies":["a=1\nsecret"]}`, `control characters in header "Set-Cookie"`},
		{formats, `{"statusCode":200,"body":{"a":"secret"}}`, "body is an object, not a string"},
		{formats, `{"statusCode":200,"body":12345}`, "body is a number, not a string"},
		{formats, `{"statusCode":200,"body":"secret!","isBase64Encoded":true}`, "body is not base64"},
		{formats, `{"statusCode":200,"body":"c2VjcmV","isBase64Encoded":true}`, "body is not base64"},
		{formats, `{"statusCode":200,"body":"x","isBase64Encoded":"secret"}`, "isBase64Encoded is a string, not true or false"},
	} {
		for _, f := range test.formats {
			r, err := lambdahttp.DecodeReply(f, "GET", []byte(test.reply))
			switch {
			case err == nil:
				t.Errorf("%s took %s as %+v", f, test.reply, r)
			case aloft.ErrorCode(err) != aloft.Failed || !strings.Contains(err.Error(), test.want):
				t.Errorf("%s: %s: %v, want %q", f, test.reply, err, test.want)
			case strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "c2VjcmV"):
				t.Errorf("the error shows the payload: %v", err)
			}
		}
	}
}
