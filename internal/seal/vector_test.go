package seal_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/seal"
)

var writeVectors = flag.Bool("write-vectors", false, "write testdata/vectors.json; only for a format that was never released")

// vector is a sealed config with all that is needed to read it.
type vector struct {
	MasterKey string             `json:"masterKey"` // the file
	Check     []byte             `json:"check"`
	App       string             `json:"app"`
	Key       []byte             `json:"key"`
	Sealed    aloft.SealedConfig `json:"sealed"`
	Clear     map[string]string  `json:"clear"`
}

// TestVectors reads what earlier versions sealed. It must pass forever.
func TestVectors(t *testing.T) {
	t.Parallel()
	if *writeVectors {
		write(t)
	}
	for i, v := range vectors(t) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "master.key"), []byte(v.MasterKey), 0o600); err != nil {
			t.Fatal(err)
		}
		r := openRing(t, dir)
		if err := r.Verify(v.Check); err != nil {
			t.Errorf("vector %d: %v", i, err)
		}
		c, err := r.Unseal(aloft.App{Name: v.App, Key: v.Key}, "production", v.Sealed)
		if err != nil || !maps.Equal(c, aloft.Config(v.Clear)) {
			t.Errorf("vector %d: %v, %v", i, c, err)
		}
	}
}

// TestFormat reads the vectors by the package comment alone, without the package.
func TestFormat(t *testing.T) {
	t.Parallel()
	open := func(key, box []byte, additional string) []byte {
		t.Helper()
		id := sha256.Sum256(append([]byte("aloft key id"), key...))
		aead, err := chacha20poly1305.NewX(key)
		if err != nil {
			t.Fatal(err)
		}
		if box[0] != 1 || string(box[1:9]) != string(id[:8]) {
			t.Errorf("head %x, want 01 and %x", box[:9], id[:8])
		}
		plain, err := aead.Open(nil, box[9:33], box[33:], []byte(additional))
		if err != nil {
			t.Fatal(err)
		}
		return plain
	}
	for _, v := range vectors(t) {
		lines := strings.Split(strings.TrimSpace(v.MasterKey), "\n")
		master, err := base64.StdEncoding.DecodeString(strings.Fields(lines[len(lines)-1])[1])
		if err != nil {
			t.Fatal(err)
		}
		open(master, v.Check, "v1|check")
		key := open(master, v.Key, "v1|data key")
		for name, want := range v.Clear {
			if got := open(key, v.Sealed.Values[name], fmt.Sprintf("v1|%s/production|%d|%s", v.App, v.Sealed.Version, name)); string(got) != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
}

func vectors(t *testing.T) (all []vector) {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &all); err != nil || len(all) == 0 {
		t.Fatal(len(all), err)
	}
	return all
}

func write(t *testing.T) {
	t.Helper()
	var all []vector
	for generation := range 2 {
		dir := t.TempDir()
		r, err := seal.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		for range generation {
			if err := r.Rotate(); err != nil {
				t.Fatal(err)
			}
		}
		v := vector{App: "web", Check: check(t, r), Key: newApp(t, r, "web").Key, Clear: map[string]string{"A": "a", "EMPTY": "", "ODD|ü": "\x00\n|"}}
		v.Sealed = sealed(t, r, aloft.App{Name: v.App, Key: v.Key}, 12, v.Clear)
		text, err := os.ReadFile(filepath.Join(dir, "master.key"))
		if err != nil {
			t.Fatal(err)
		}
		v.MasterKey = string(text)
		all = append(all, v)
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("testdata/vectors.json", append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
