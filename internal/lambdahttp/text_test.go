package lambdahttp_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lambdahttp"
)

func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

func TestFormatNames(t *testing.T) {
	for _, f := range formats {
		if got, err := lambdahttp.ParseFormat(f.String()); err != nil || got != f {
			t.Errorf("%s: %v, %v", f, got, err)
		}
	}
	if f, err := lambdahttp.ParseFormat(""); err != nil || f != lambdahttp.APIGatewayV2 {
		t.Errorf("no name: %v, %v", f, err)
	}
	_, err := lambdahttp.ParseFormat("apigw-v3")
	e, ok := err.(*aloft.Error) //nolint:errorlint // the hint is of this very error
	if !ok || e.Code != aloft.Invalid || !strings.Contains(e.Hint, "apigw-v2, apigw-v1, function-url, alb, alb-multi") {
		t.Errorf("unknown name: %#v", err)
	}
}

// TestStrings holds both writers of JSON strings against encoding/json, with a special byte at each offset of a word.
func TestStrings(t *testing.T) {
	for special := range 0x80 {
		for offset := range 17 {
			s := strings.Repeat("a", offset) + string(rune(special)) + "äöü€😀" + strings.Repeat("b", 9)
			for name, got := range map[string][]byte{
				"appendString": lambdahttp.AppendString(nil, s),
				"appendText":   lambdahttp.AppendText(nil, []byte(s)),
			} {
				var back string
				if err := json.Unmarshal(got, &back); err != nil || back != s {
					t.Fatalf("%s(%q) = %s: %v", name, s, got, err)
				}
			}
		}
	}
}

// TestScanText puts a byte that JSON strings may not have at each offset of a string, and one that they may.
func TestScanText(t *testing.T) {
	for offset := range 80 {
		for _, test := range []struct {
			text string
			ok   bool
		}{{"\x1f", false}, {"\x00", false}, {"\xff", false}, {"\xc3", false}, {"\x7f", true}, {"ü", true}, {"\\n", true}, {"\\n\xff", false}, {"\\n\x01", false}} {
			data := `{"` + strings.Repeat("k", 9) + `":"` + strings.Repeat("a", offset) + test.text + strings.Repeat("b", 80-offset) + `"}`
			if _, _, ok := lambdahttp.Scan([]byte(data)); ok != test.ok {
				t.Fatalf("%q: accepted %t", data, ok)
			}
		}
	}
}

func TestEncodeLatin1(t *testing.T) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://app.example.com/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Name", "a\tJ\xf6rg \"x\"")
	for _, f := range formats {
		event, err := lambdahttp.Encode(f, r, nil, meta(f))
		if err != nil {
			t.Fatal(err)
		}
		e, err := lambdahttp.DecodeEvent(event)
		if err != nil || e.Header.Get("X-Name") != "a\tJörg \"x\"" {
			t.Errorf("%s: %v in %s", f, err, event)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://app.example.com/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lambdahttp.Encode(lambdahttp.Format(9), r, nil, &lambdahttp.Meta{}); aloft.ErrorCode(err) != aloft.Invalid {
		t.Errorf("format 9: %v", err)
	}
	if _, err := lambdahttp.Encode(lambdahttp.ALB, r, nil, &lambdahttp.Meta{Authorizer: []byte("{")}); aloft.ErrorCode(err) != aloft.Invalid {
		t.Errorf("broken authorizer: %v", err)
	}
	m := &lambdahttp.Meta{Authorizer: []byte(`{"iam":{"userId":"AIDA"}}`), StageVariables: map[string]string{"b": "2", "a\"": "1"}}
	event, err := lambdahttp.Encode(lambdahttp.FunctionURL, r, nil, m)
	if err != nil || !strings.Contains(string(event), `"authorizer":{"iam":{"userId":"AIDA"}}`) ||
		!strings.Contains(string(event), `"stageVariables":{"a\"":"1","b":"2"}`) {
		t.Errorf("%v: %s", err, event)
	}
}
