package awsapi_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/aloft-run/aloft/internal/awsapi"
)

const (
	keyID  = "AKIAEXAMPLEEXAMPLE00"
	secret = "a secret of a test"
	most   = 64 << 10
)

// front answers with the service, the path and the body.
func front(token string) *awsapi.Front {
	services := map[string]awsapi.Service{}
	for _, name := range []string{"lambda", "s3", "sqs"} {
		services[name] = awsapi.Service{MaxBody: most, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusTeapot)
				return
			}
			fmt.Fprintf(w, "%s %s %s", name, r.URL.Path, body)
		})}
	}
	return awsapi.New(awsapi.Options{
		Services: services,
		Credential: func(_ context.Context, id string) (awsapi.Credential, error) {
			if id != keyID {
				return awsapi.Credential{}, awsapi.ErrUnknown
			}
			return awsapi.Credential{KeyID: keyID, Secret: secret, Token: token}, nil
		},
	})
}

// call is a request to be signed.
type call struct {
	service, method, target, body string
	header                        http.Header
	key                           aws.Credentials
	at                            time.Time
	digest                        string // "" is that of the body
}

func newCall() call {
	return call{
		service: "lambda", method: "POST", target: "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aa/invocations?Qualifier=%24LATEST&a=b%20c",
		body: `{"n":1}`, header: http.Header{}, key: aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}, at: time.Now(),
	}
}

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// sign signs as AWS's SDK for Go does.
func (c call) sign(t *testing.T, server string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), c.method, server+c.target, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(r.Header, c.header)
	digest := c.digest
	if digest == "" {
		digest = sha(c.body)
	}
	err = signer.NewSigner().SignHTTP(t.Context(), c.key, r, digest, c.service, "us-east-1", c.at, func(o *signer.SignerOptions) {
		o.DisableURIPathEscaping = c.service == "s3"
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func do(t *testing.T, r *http.Request) (status int, kind, body string) {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.Header.Get("X-Amzn-Requestid") == "" {
		t.Error("the answer has no request id")
	}
	return response.StatusCode, response.Header.Get("X-Amzn-Errortype"), string(text)
}

func serve(t *testing.T, token string) string {
	t.Helper()
	server := httptest.NewServer(front(token))
	t.Cleanup(server.Close)
	return server.URL
}

func TestSigned(t *testing.T) {
	server := serve(t, "")
	tests := map[string]func(c *call){
		"as it is":          func(*call) {},
		"no body":           func(c *call) { c.method, c.body = "GET", "" },
		"of another region": func(c *call) { c.header.Set("X-Amz-Log-Type", "Tail") },
		"14 minutes ago":    func(c *call) { c.at = c.at.Add(-14 * time.Minute) },
		"14 minutes ahead":  func(c *call) { c.at = c.at.Add(14 * time.Minute) },
		"spaces in headers": func(c *call) { c.header.Set("X-Amz-Client-Context", "a   b") },
		"query":             func(c *call) { c.service, c.target = "sqs", "/?b=2&a=1&a=0&c&d=%2F~%C3%A9" },
		"s3":                func(c *call) { c.service, c.target = "s3", "/bucket/a%20b/%C3%A9//x" },
		"s3 with digest":    func(c *call) { c.service = "s3"; c.header.Set("X-Amz-Content-Sha256", sha(c.body)) },
		"s3 without digest": func(c *call) {
			c.service, c.digest = "s3", "UNSIGNED-PAYLOAD"
			c.header.Set("X-Amz-Content-Sha256", c.digest)
		},
		"s3 in chunks": func(c *call) {
			c.service, c.digest = "s3", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
			c.header.Set("X-Amz-Content-Sha256", c.digest)
		},
		"digest, large body": func(c *call) { c.body = strings.Repeat("x", 2*most); c.header.Set("X-Amz-Content-Sha256", sha(c.body)) },
		"as large as may be": func(c *call) { c.body = strings.Repeat("x", most) },
		"every odd byte in it": func(c *call) {
			c.target = "/" + url.PathEscape("a+b*c'd(e)f!g~h;i:j@k&l=m,n$") + "?" + url.Values{"k": {"a b+c*d~e/f?g"}}.Encode()
		},
		"presigned for nothing": func(c *call) { c.target += "&X-Amz-Signatur=x" },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCall()
			change(&c)
			r := c.sign(t, server)
			if c.service != "sqs" { // url.Values writes a space as "+", which the signer signs as %20
				r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, "+", "%20")
			}
			if status, _, body := do(t, r); status != 200 || !strings.HasPrefix(body, c.service+" ") || !strings.HasSuffix(body, c.body) {
				t.Errorf("answers %d %.300s", status, body)
			}
		})
	}
}

func TestPresigned(t *testing.T) {
	server := serve(t, "")
	sign := func(at time.Time, seconds int) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server+"/x%3Ay?X-Amz-Expires="+strconv.Itoa(seconds), nil)
		if err != nil {
			t.Fatal(err)
		}
		signed, _, err := signer.NewSigner().PresignHTTP(t.Context(), newCall().key, r, sha(""), "lambda", "us-east-1", at)
		if err != nil {
			t.Fatal(err)
		}
		if r.URL, err = url.Parse(signed); err != nil {
			t.Fatal(err)
		}
		return r
	}
	if status, _, body := do(t, sign(time.Now(), 60)); status != 200 {
		t.Errorf("answers %d %s", status, body)
	}
	if status, kind, _ := do(t, sign(time.Now().Add(-time.Hour), 60)); status != 403 || kind != "InvalidSignatureException" {
		t.Errorf("an old one: %d %s", status, kind)
	}
	for name, spoil := range map[string]func(r *http.Request){
		"longer": func(r *http.Request) {
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "Expires=60", "Expires=600", 1)
		},
		"more":  func(r *http.Request) { r.URL.RawQuery += "&more=1" },
		"twice": func(r *http.Request) { r.URL.RawQuery += "&X-Amz-Expires=600" },
		"too far": func(r *http.Request) {
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "Expires=60", "Expires=900000", 1)
		},
		"both":   func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 x") },
		"path":   func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/other", "" },
		"method": func(r *http.Request) { r.Method = "DELETE" },
	} {
		r := sign(time.Now(), 60)
		spoil(r)
		if status, _, body := do(t, r); status < 400 {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	own, err := awsapi.Presign(awsapi.Credential{KeyID: keyID, Secret: secret}, "lambda", server+"/code/1", time.Now(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, own, nil)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, body := do(t, r); status != 200 {
		t.Errorf("our own: %d %s", status, body)
	}
}

func TestRefused(t *testing.T) {
	server := serve(t, "")
	edit := func(part, to string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), part, to, 1))
		}
	}
	const bad, odd, unknown = "InvalidSignatureException", "IncompleteSignatureException", "UnrecognizedClientException"
	tests := map[string]struct {
		change func(c *call)
		spoil  func(r *http.Request)
		status int
		kind   string
	}{
		"not signed":           {spoil: func(r *http.Request) { r.Header.Del("Authorization") }, status: 400, kind: odd},
		"another key":          {change: func(c *call) { c.key.AccessKeyID = "AKIAOTHER" }, status: 403, kind: unknown},
		"another secret":       {change: func(c *call) { c.key.SecretAccessKey = "x" }, status: 403, kind: bad},
		"a token":              {change: func(c *call) { c.key.SessionToken = "x" }, status: 403, kind: unknown},
		"16 minutes ago":       {change: func(c *call) { c.at = c.at.Add(-16 * time.Minute) }, status: 403, kind: bad},
		"16 minutes ahead":     {change: func(c *call) { c.at = c.at.Add(16 * time.Minute) }, status: 403, kind: bad},
		"another service":      {change: func(c *call) { c.service = "ec2" }, status: 403, kind: bad},
		"another body":         {spoil: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"n":2}`)) }, status: 403, kind: bad},
		"another method":       {spoil: func(r *http.Request) { r.Method = "PUT" }, status: 403, kind: bad},
		"another path":         {spoil: func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/x", "" }, status: 403, kind: bad},
		"another query":        {spoil: func(r *http.Request) { r.URL.RawQuery = "Qualifier=1" }, status: 403, kind: bad},
		"another host":         {spoil: func(r *http.Request) { r.Host = "shop.localhost" }, status: 403, kind: bad},
		"a header more":        {spoil: func(r *http.Request) { r.Header.Set("X-Amz-Invocation-Type", "Event") }, status: 403, kind: bad},
		"two Authorizations":   {spoil: func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }, status: 400, kind: odd},
		"two dates":            {spoil: func(r *http.Request) { r.Header.Add("X-Amz-Date", r.Header.Get("X-Amz-Date")) }, status: 400, kind: odd},
		"no signature":         {spoil: edit("Signature=", "Signatura="), status: 400, kind: odd},
		"signature twice":      {spoil: edit("Signature=", "Signature=x, Signature="), status: 400, kind: odd},
		"host not signed":      {spoil: edit(";host", ""), status: 400, kind: odd},
		"headers not in order": {spoil: edit("SignedHeaders=", "SignedHeaders=z;"), status: 400, kind: odd},
		"no terminator":        {spoil: edit("/aws4_request", ""), status: 400, kind: odd},
		"another date":         {spoil: edit(keyID+"/2", keyID+"/1"), status: 400, kind: odd},
		"another region":       {spoil: edit("us-east-1", "eu-west-1"), status: 403, kind: bad},
		"another algorithm":    {spoil: edit("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), status: 400, kind: odd},
		"too long":             {change: func(c *call) { c.body = strings.Repeat("x", most+1) }, status: 413, kind: "RequestEntityTooLargeException"},
		"too long in chunks": {
			change: func(c *call) { c.body = strings.Repeat("x", most+1) },
			spoil: func(r *http.Request) {
				r.ContentLength, r.Body = -1, io.NopCloser(bytes.NewReader(bytes.Repeat([]byte("x"), most+1)))
				edit("content-length;", "")(r)
			}, status: 413, kind: "RequestEntityTooLargeException",
		},
		"unsigned payload": {
			change: func(c *call) { c.digest = "UNSIGNED-PAYLOAD"; c.header.Set("X-Amz-Content-Sha256", c.digest) }, status: 400, kind: odd,
		},
		"another body than its digest": {
			change: func(c *call) { c.header.Set("X-Amz-Content-Sha256", sha(c.body)) },
			spoil:  func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"n":2}`)) }, status: http.StatusTeapot,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCall()
			if test.change != nil {
				test.change(&c)
			}
			r := c.sign(t, server)
			if test.spoil != nil {
				test.spoil(r)
			}
			status, kind, body := do(t, r)
			if status != test.status || kind != test.kind {
				t.Errorf("answers %d %q %s, not %d %q", status, kind, body, test.status, test.kind)
			}
			if strings.Contains(body, secret) || strings.Contains(body, "invocations") {
				t.Errorf("the answer tells too much: %s", body)
			}
		})
	}
}

// TestToken checks that a key of a session counts with its token only.
func TestToken(t *testing.T) {
	server := serve(t, "token")
	for token, want := range map[string]int{"token": 200, "other": 403, "": 403} {
		c := newCall()
		c.key.SessionToken = token
		if status, _, body := do(t, c.sign(t, server)); status != want {
			t.Errorf("token %q: %d %s", token, status, body)
		}
	}
}

// TestErrorShapes checks that errors are what the clients of each protocol read.
func TestErrorShapes(t *testing.T) {
	server := serve(t, "")
	c := newCall()
	c.key.SecretAccessKey = "x"
	for service, want := range map[string]string{"s3": "<Error><Code>SignatureDoesNotMatch</Code>", "sqs": "<Code>SignatureDoesNotMatch</Code>", "lambda": `"InvalidSignatureException"`} {
		c.service = service
		if service == "sqs" {
			c.header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		} else {
			c.header.Del("Content-Type")
		}
		if _, _, body := do(t, c.sign(t, server)); !strings.Contains(body, want) {
			t.Errorf("%s: %s", service, body)
		}
	}
}

func FuzzAuthorization(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential="+keyID+"/20261129/us-east-1/lambda/aws4_request, SignedHeaders=host;x-amz-date, Signature="+sha(""), "20261129T000000Z", "")
	f.Add("AWS4-HMAC-SHA256 ", "", "X-Amz-Signature=1&X-Amz-Signature=2")
	front := front("")
	f.Fuzz(func(t *testing.T, authorization, date, query string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("x"))
		r.Header.Set("Authorization", authorization)
		r.Header.Set("X-Amz-Date", date)
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		front.Takes(r)
		front.ServeHTTP(w, r)
		if w.Code < 400 {
			t.Errorf("%q is accepted", authorization)
		}
	})
}
