package cli_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/cli"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain\ttext é 日本 🙂":        "plain\ttext é 日本 🙂",
		"\x1b[31mred\x1b[0m":        "red",
		"\x1b]0;title\aafter":       "after",
		"\x1b]8;;http://x\x1b\\l":   "l",
		"\x1bcreset":                "reset",
		"a\rb\bc\x00d\x7fe":         "abcde",
		"\u009b31m":                 "31m",
		"bad\xff\x9butf8":           "bad\ufffd\ufffdutf8",
		"\u202eevil\u2066":          "evil",
		"end\x1b":                   "end",
		"end\x1b[":                  "end",
		"end\x1b]no end of it":      "end",
		"two\nlines":                "twolines",
		strings.Repeat("x", 10_000): strings.Repeat("x", 10_000),
	} {
		if got := cli.Clean(in); got != want {
			t.Errorf("clean(%q) is %q, want %q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b[31mred")
	f.Add("\x1b]0;x\a")
	f.Fuzz(func(t *testing.T, in string) {
		out := cli.Clean(in)
		if strings.ContainsFunc(out, func(r rune) bool { return r != '\t' && (r < ' ' || (r >= 0x7f && r < 0xa0)) }) {
			t.Errorf("clean(%q) is %q", in, out)
		}
	})
}

func TestNearest(t *testing.T) {
	names := []string{"up", "rollback", "releases", "config"}
	for word, want := range map[string]string{"upp": "up", "rolback": "rollback", "rel": "releases", "cnofig": "config", "xyzzy": "", "": ""} {
		if got := cli.Nearest(word, names); got != want {
			t.Errorf("nearest to %q is %q, want %q", word, got, want)
		}
	}
}

func TestAddresses(t *testing.T) {
	for _, test := range []struct {
		asked, remembered string
		first             string
		count             int
	}{
		{"", "", "127.0.0.1:7070", 100},
		{"", "127.0.0.1:7099", "127.0.0.1:7099", 101},
		{"", "0.0.0.0:80", "127.0.0.1:7070", 100},
		{":80", "127.0.0.1:7099", ":80", 1},
		{"127.0.0.1:0", "", "127.0.0.1:0", 1},
		{"127.0.0.1:0", "127.0.0.1:4711", "127.0.0.1:4711", 2},
		{"0.0.0.0:0", "127.0.0.1:4711", "0.0.0.0:0", 1},
	} {
		got := cli.Addresses(test.asked, test.remembered)
		if got[0] != test.first || len(got) != test.count {
			t.Errorf("addresses(%q, %q) are %q", test.asked, test.remembered, got)
		}
	}
}

func TestEnvironmentsAreChosen(t *testing.T) {
	env := map[string]string{"PATH": "/bin", "HOME": "/root", "SECRET_TOKEN": "canary", "ALOFT_HOME": "/x", "PIP_INDEX_URL": "u", "PATHOLOGY": "1"}
	if got := cli.AppEnv(env); !slices.Equal(got, []string{"PATH=/bin"}) {
		t.Errorf("apps get %q", got)
	}
	if got := cli.BuildEnv(env); !slices.Equal(got, []string{"CI=1", "HOME=/root", "LANG=C.UTF-8", "PATH=/bin", "PIP_INDEX_URL=u"}) {
		t.Errorf("builds get %q", got)
	}
	if got := cli.AppEnv(nil); len(got) != 1 || !strings.HasPrefix(got[0], "PATH=") {
		t.Errorf("without an environment apps get %q", got)
	}
}

// Bars show what there is: nothing as a space, little as the lowest bar, the most at full height.
func TestSparkline(t *testing.T) {
	t.Parallel()
	for want, values := range map[string][]int64{
		"": nil, "  ": {0, 0}, "▁ █▄": {1, 0, 1000, 500}, "█": {7}, strings.Repeat("█", 60): slices.Repeat([]int64{3}, 120),
	} {
		if got := cli.Sparkline(values); got != want {
			t.Errorf("%v became %q, not %q", values, got, want)
		}
	}
}
