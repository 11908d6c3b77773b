package lambdahttp_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/aloft-run/aloft/internal/lambdahttp"
)

var update = flag.Bool("update", false, "write the golden parts of testdata anew")

var formats = []lambdahttp.Format{
	lambdahttp.APIGatewayV2, lambdahttp.APIGatewayV1, lambdahttp.FunctionURL, lambdahttp.ALB, lambdahttp.ALBMulti,
}

// meta returns what the golden events say besides the request.
func meta(f lambdahttp.Format) *lambdahttp.Meta {
	m := &lambdahttp.Meta{
		RequestID: "8f1c3d2e-7a54-4b0c-9d1e-2f6a7b8c9d0e",
		SourceIP:  "203.0.113.7",
		Time:      time.Date(2026, 11, 25, 9, 8, 7, 654_000_000, time.FixedZone("", 3600)),
		AccountID: "123456789012",
		APIID:     "a1b2c3",
	}
	switch f {
	case lambdahttp.APIGatewayV1:
		m.Resource, m.ResourceID, m.PathParameters = "/{proxy+}", "r3s0rc", map[string]string{"proxy": "x"}
	case lambdahttp.APIGatewayV2:
		m.RouteKey, m.PathParameters = "ANY /{proxy+}", map[string]string{"proxy": "x"}
	case lambdahttp.FunctionURL:
		m.AccountID, m.DomainName = "", "a1b2c3.lambda-url.localhost"
	case lambdahttp.ALB, lambdahttp.ALBMulti:
		m.TargetGroupARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/aloft/0123456789abcdef"
	}
	return m
}

// parse returns the request of an archive: its head as text, its body as a quoted string.
func parse(t *testing.T, archive *txtar.Archive) (r *http.Request, body []byte) {
	t.Helper()
	for _, file := range archive.Files {
		switch file.Name {
		case "head":
			head := strings.ReplaceAll(string(file.Data), "\n", "\r\n") + "\r\n"
			var err error
			if r, err = http.ReadRequest(bufio.NewReader(strings.NewReader(head))); err != nil {
				t.Fatal(err)
			}
		case "body":
			s, err := strconv.Unquote(strings.TrimSpace(string(file.Data)))
			if err != nil {
				t.Fatal(err)
			}
			body = []byte(s)
		}
	}
	return r, body
}

// TestEncode compares the events of each request in testdata/encode with the ones kept there, and reads them back.
func TestEncode(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "encode", "*.txtar"))
	if err != nil || len(paths) < 8 {
		t.Fatalf("found %d archives: %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			r, body := parse(t, archive)
			want := map[string]string{}
			var inputs []txtar.File
			for _, file := range archive.Files {
				want[file.Name] = string(file.Data)
				if file.Name == "head" || file.Name == "body" {
					inputs = append(inputs, file)
				}
			}
			archive.Files = inputs
			for _, f := range formats {
				m := meta(f)
				if ip := r.Header.Get("X-Forwarded-For"); ip != "" {
					m.SourceIP = ip
				}
				event, err := lambdahttp.Encode(f, r, body, m)
				if err != nil {
					t.Fatal(err)
				}
				var got bytes.Buffer
				if err := json.Indent(&got, event, "", "  "); err != nil {
					t.Fatalf("%s: %v in %s", f, err, event)
				}
				got.WriteByte('\n')
				archive.Files = append(archive.Files, txtar.File{Name: f.String(), Data: got.Bytes()})
				if !*update && got.String() != want[f.String()] {
					t.Errorf("%s: look at the change and run with -update; got\n%s\nwant\n%s", f, &got, want[f.String()])
				}
				sameRequest(t, f, r, body, event)
			}
			if *update {
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
