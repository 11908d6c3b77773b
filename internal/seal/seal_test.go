package seal_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/seal"
)

const secret = "hunter2-canary"

func openRing(t *testing.T, dir string) *seal.Keyring {
	t.Helper()
	r, err := seal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newApp(t *testing.T, r *seal.Keyring, name string) aloft.App {
	t.Helper()
	wrapped, err := r.NewKey(name)
	if err != nil {
		t.Fatal(err)
	}
	return aloft.App{Name: name, Key: wrapped}
}

func sealed(t *testing.T, r *seal.Keyring, app aloft.App, version int, c aloft.Config) aloft.SealedConfig {
	t.Helper()
	s, err := r.Seal(app, "production", version, c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantRefused wants a coded error with a next step that holds no value.
func wantRefused(t *testing.T, what string, err error, code aloft.Code) {
	t.Helper()
	e, ok := errors.AsType[*aloft.Error](err)
	if !ok || e.Code != code || e.Hint == "" {
		t.Errorf("%s: got %#v, want code %s and a hint", what, err, code)
		return
	}
	if text := fmt.Sprintf("%s %s %s %+v", e.Message, e.Hint, e.Detail, e.Err); strings.Contains(text, secret[:7]) {
		t.Errorf("%s: the error holds a value: %s", what, text)
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := openRing(t, dir)
	app := newApp(t, r, "web")
	want := aloft.Config{"A": secret, "EMPTY": "", "BINARY": "\x00\xff\n", "odd|name=ü": strings.Repeat("x", 1<<16)}
	s := sealed(t, r, app, 7, want)
	if s.Version != 7 {
		t.Errorf("version %d, want 7", s.Version)
	}
	for name, box := range s.Values {
		if bytes.Contains(box, []byte(secret)) || len(box) != len(want[name])+49 {
			t.Errorf("%s: %d bytes for %d", name, len(box), len(want[name]))
		}
	}
	got, err := openRing(t, dir).Unseal(app, "production", s) // as after a restart
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("Unseal: %v, %v", got, err)
	}
	if again := sealed(t, r, app, 7, want); bytes.Equal(again.Values["A"], s.Values["A"]) {
		t.Error("two seals of one value are equal: the nonce repeats")
	}
	none, err := r.Unseal(aloft.App{Name: "new"}, "production", sealed(t, r, app, 1, nil))
	if err != nil || none == nil || len(none) != 0 {
		t.Errorf("Unseal of nothing: %v, %v", none, err)
	}
	if text := fmt.Sprintf("%v %+v %#v", r, r, r); strings.Contains(text, "{") || len(text) > 60 {
		t.Errorf("a keyring prints as %s", text)
	}
}

// TestMoved: a sealed value is good for one app, one version and one name.
func TestMoved(t *testing.T) {
	t.Parallel()
	r := openRing(t, t.TempDir())
	app, other := newApp(t, r, "web"), newApp(t, r, "api")
	s := sealed(t, r, app, 7, aloft.Config{"A": secret, "B": "b"})
	a, b := s.Values["A"], s.Values["B"]
	for what, c := range map[string]struct {
		app aloft.App
		s   aloft.SealedConfig
	}{
		"swapped values":    {app, aloft.SealedConfig{Version: 7, Values: map[string][]byte{"A": b, "B": a}}},
		"other name":        {app, aloft.SealedConfig{Version: 7, Values: map[string][]byte{"C": a}}},
		"other version":     {app, aloft.SealedConfig{Version: 8, Values: s.Values}},
		"other app":         {other, s},
		"other app, my key": {aloft.App{Name: "api", Key: app.Key}, s},
		"my name, its key":  {aloft.App{Name: "web", Key: other.Key}, s},
		"clear text":        {app, aloft.SealedConfig{Version: 7, Values: map[string][]byte{"A": []byte(secret)}}},
		"nothing":           {app, aloft.SealedConfig{Version: 7, Values: map[string][]byte{"A": nil}}},
		"a wrapped key":     {app, aloft.SealedConfig{Version: 7, Values: map[string][]byte{"A": app.Key}}},
		"no data key":       {aloft.App{Name: "web"}, s},
	} {
		if other, err := r.Unseal(app, "staging", s); err == nil {
			t.Errorf("another stage's value is read: %v", other)
		}
		c2, err := r.Unseal(c.app, "production", c.s)
		wantRefused(t, what, err, aloft.Internal)
		if c2 != nil {
			t.Errorf("%s: got %v beside the error", what, c2)
		}
	}
}

// TestFlipped flips every bit of a value and of a wrapped key, and cuts both everywhere.
func TestFlipped(t *testing.T) {
	t.Parallel()
	r := openRing(t, t.TempDir())
	app := newApp(t, r, "web")
	s := sealed(t, r, app, 1, aloft.Config{"A": secret})
	try := func(what string, key, box []byte) {
		t.Helper()
		_, err := r.Unseal(aloft.App{Name: "web", Key: key}, "production", aloft.SealedConfig{Version: 1, Values: map[string][]byte{"A": box}})
		if code := aloft.ErrorCode(err); code != aloft.Internal && code != aloft.Conflict { // Conflict: another master key's id
			t.Errorf("%s: %v", what, err)
		}
	}
	box := s.Values["A"]
	for i := range 8 * len(box) {
		bad := bytes.Clone(box)
		bad[i/8] ^= 1 << (i % 8)
		try(fmt.Sprint("bit ", i, " of the value"), app.Key, bad)
	}
	for i := range 8 * len(app.Key) {
		bad := bytes.Clone(app.Key)
		bad[i/8] ^= 1 << (i % 8)
		try(fmt.Sprint("bit ", i, " of the key"), bad, box)
	}
	for i := range box {
		try(fmt.Sprint("value cut at ", i), app.Key, box[:i])
	}
	for i := range app.Key {
		try(fmt.Sprint("key cut at ", i), app.Key[:i], box)
	}
}

func FuzzUnseal(f *testing.F) {
	r, err := seal.Open(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	wrapped, err := r.NewKey("web")
	if err != nil {
		f.Fatal(err)
	}
	app := aloft.App{Name: "web", Key: wrapped}
	s, err := r.Seal(app, "production", 1, aloft.Config{"A": secret})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(s.Values["A"][:len(s.Values["A"])-1])
	f.Add([]byte{1})
	f.Add(bytes.Repeat([]byte{1}, 60))
	f.Fuzz(func(t *testing.T, box []byte) {
		if _, err := r.Unseal(app, "production", aloft.SealedConfig{Version: 1, Values: map[string][]byte{"A": box}}); err == nil {
			t.Errorf("%x was accepted", box)
		}
		if r.Verify(box) == nil {
			t.Errorf("%x was accepted as check", box)
		}
	})
}
