package lambdaapi_test

import (
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lambdaapi"
)

func TestParseName(t *testing.T) {
	for text, want := range map[string][2]string{
		"thumb":                     {"thumb", ""},
		"Thumb_1:live":              {"Thumb_1", "live"},
		"thumb:$LATEST":             {"thumb", "$LATEST"},
		"000000000000:function:a:7": {"a", "7"},
		"arn:aws:lambda:us-east-1:000000000000:function:a":         {"a", ""},
		"arn:aws-cn:lambda:cn-north-1:123456789012:function:a:b-c": {"a", "b-c"},
	} {
		if name, qualifier, err := lambdaapi.ParseName(text); err != nil || name != want[0] || qualifier != want[1] {
			t.Errorf("%s: %q %q %v", text, name, qualifier, err)
		}
	}
	for _, text := range []string{"", "a b", "../a", "a:b:c", ":a", "a:", "arn:aws:s3:::b", "a:$OTHER", strings.Repeat("a", 65), "größe", "a\n"} {
		if name, qualifier, err := lambdaapi.ParseName(text); err == nil {
			t.Errorf("%q is taken as %q %q", text, name, qualifier)
		}
	}
}

func TestAppName(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"thumb", "Thumb", "THUMB", "thumb_", "_", "9", "-", "a-", strings.Repeat("a", 64), strings.Repeat("a", 63) + "b", "Ab_9"} {
		app := lambdaapi.AppName(name)
		if err := aloft.CheckName("app", app); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if before, taken := seen[app]; taken {
			t.Errorf("%s and %s are both %s", name, before, app)
		}
		seen[app] = name
	}
	if got := lambdaapi.AppName("thumb"); got != "thumb" {
		t.Errorf("an allowed name becomes %s", got)
	}
}

func TestCORSOrigins(t *testing.T) {
	for value, want := range map[string]bool{
		"https://a.example": true, "https://x.b.example": true, "https://b.example": false, "https://a.example.evil": false, "http://a.example": false, "": false,
	} {
		if got := lambdaapi.Allows([]string{"https://a.example", "https://*.b.example"}, value); got != want {
			t.Errorf("%s: %v", value, got)
		}
	}
}
