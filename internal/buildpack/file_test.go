package buildpack_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
)

func TestReadJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{\n  \"a\": \"x\",\n  \"b\" 1\n}": "f.json:3:7: ",
		"{\n\t\"a\": [1]\n}":               "f.json:2:",
		"":                                 "f.json:1:1: ",
		"{\"a\":\"x\"":                     "f.json:1:9: ",
		"[]":                               "f.json:1:1: the file is a JSON array",
		"\ufeff{\"a\":\"x\"}":              "",
		"{\"ä\":\"x\" 1}":                  "f.json:1:10: ",
	} {
		var value struct {
			A string `json:"a"`
		}
		_, err := buildpack.ReadJSON(fstest.MapFS{"f.json": {Data: []byte(text)}}, "f.json", &value)
		e, _ := errors.AsType[*aloft.Error](err)
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", text, err)
		case want != "" && (e == nil || !strings.HasPrefix(e.Message, want) || e.Hint == ""):
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestReadTOML(t *testing.T) {
	t.Parallel()
	var value struct {
		A string `toml:"a"`
	}
	_, err := buildpack.ReadTOML(fstest.MapFS{"f.toml": {Data: []byte("a = \"x\"\nb = = 1\n")}}, "f.toml", &value)
	e, ok := errors.AsType[*aloft.Error](err)
	if !ok || !strings.HasPrefix(e.Message, "f.toml:2:5: ") || !strings.Contains(e.Detail, "b = = 1\n      |     ^") {
		t.Errorf("error %v\n%s", err, e.Detail)
	}
	if _, err = buildpack.ReadTOML(fstest.MapFS{"f.toml": {Data: []byte("a = 1")}}, "f.toml", &value); aloft.ErrorCode(err) != aloft.Invalid {
		t.Errorf("of a wrong type: %v", err)
	}
}

// endless is a file without an end.
type endless struct{ fstest.MapFS }

type endlessFile struct{ fs.File }

func (endlessFile) Read(p []byte) (int, error) { return len(p), nil }

func (e endless) Open(name string) (fs.File, error) {
	f, err := e.MapFS.Open(name)
	return endlessFile{f}, err
}

func TestReadIsBounded(t *testing.T) {
	t.Parallel()
	_, _, err := buildpack.Read(endless{fstest.MapFS{"f": {}}}, "f")
	if aloft.ErrorCode(err) != aloft.Invalid || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("error %v", err)
	}
}

func TestEnviron(t *testing.T) {
	t.Parallel()
	got := strings.Join(buildpack.Environ([]string{
		"PATH=/bin", "HOME=/home/u", "LANG=de_DE", "SECRET=x", "AWS_SECRET_ACCESS_KEY=x", "https_proxy=p", "HTTPS_PROXY=q",
		"npm_config_registry=r", "PIP_INDEX_URL=i", "GOPROXY=g", "GOFLAGS=f", "DATABASE_URL=d", "BUNDLE_MIRROR__ALL=m", "broken",
	}), " ")
	want := "BUNDLE_MIRROR__ALL=m CI=1 GOPROXY=g HOME=/home/u HTTPS_PROXY=q LANG=C.UTF-8 PATH=/bin PIP_INDEX_URL=i https_proxy=p npm_config_registry=r"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
