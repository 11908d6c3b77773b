package seal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/seal"
)

func check(t *testing.T, r *seal.Keyring) []byte {
	t.Helper()
	value, err := r.Check()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	r := openRing(t, dir)
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("Open alone wrote something: %v", err)
	}
	check(t, r)
	for name, mode := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "master.key"): 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v; want mode %o", name, info, err, mode)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("in the directory: %v, %v", entries, err)
	}
}

// TestMissing: a lost key file is never replaced by a new one.
func TestMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := openRing(t, dir)
	value, app := check(t, r), newApp(t, r, "web")
	s := sealed(t, r, app, 1, aloft.Config{"A": secret})
	path := filepath.Join(dir, "master.key")
	if err := os.Rename(path, path+".lost"); err != nil {
		t.Fatal(err)
	}
	again := openRing(t, dir)
	err := again.Verify(value)
	wantRefused(t, "Verify", err, aloft.Conflict)
	if !strings.Contains(err.Error(), "missing") {
		t.Errorf("got %q, want it to say that the file is missing", err)
	}
	_, err = again.Unseal(app, "production", s)
	wantRefused(t, "Unseal", err, aloft.Conflict)
	_, err = again.Rewrap(app.Key)
	wantRefused(t, "Rewrap", err, aloft.Conflict)
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Fatalf("a new key was written: %v", err)
	}
	if err := os.Rename(path+".lost", path); err != nil {
		t.Fatal(err)
	}
	if err := openRing(t, dir).Verify(value); err != nil {
		t.Error(err)
	}
}

func TestWrongKey(t *testing.T) {
	t.Parallel()
	r, stranger := openRing(t, t.TempDir()), openRing(t, t.TempDir())
	value, _ := check(t, r), check(t, stranger)
	wantRefused(t, "check of another key", stranger.Verify(value), aloft.Conflict)
	app := newApp(t, r, "web")
	_, err := stranger.Seal(app, "production", 1, aloft.Config{"A": secret})
	wantRefused(t, "Seal", err, aloft.Conflict)
	for _, bad := range [][]byte{nil, {}, {1, 2}, value[:20], append(bytes.Clone(value), 0), app.Key} {
		wantRefused(t, "damaged check", r.Verify(bad), aloft.Internal)
	}
	if err := r.Verify(value); err != nil {
		t.Error(err)
	}
}

func TestRotate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := openRing(t, dir)
	value, app := check(t, r), newApp(t, r, "web")
	s := sealed(t, r, app, 1, aloft.Config{"A": secret})
	old, err := os.ReadFile(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Rotate(); err != nil {
		t.Fatal(err)
	}
	wrapped, err := r.Rewrap(app.Key)
	if err != nil {
		t.Fatal(err)
	}
	next := check(t, r)
	for name, ring := range map[string]*seal.Keyring{"same": r, "reopened": openRing(t, dir)} {
		for _, value := range [][]byte{value, next} {
			if err := ring.Verify(value); err != nil {
				t.Error(name, err)
			}
		}
		for _, key := range [][]byte{app.Key, wrapped} { // the values did not change
			if c, err := ring.Unseal(aloft.App{Name: "web", Key: key}, "production", s); err != nil || c["A"] != secret {
				t.Error(name, c, err)
			}
		}
	}
	stale := t.TempDir() // a backup from before the rotation
	if err := os.WriteFile(filepath.Join(stale, "master.key"), old, 0o600); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, "stale key file", openRing(t, stale).Verify(next), aloft.Conflict)
	_, err = openRing(t, stale).Unseal(aloft.App{Name: "web", Key: wrapped}, "production", s)
	wantRefused(t, "stale key file", err, aloft.Conflict)
}

func TestBadFile(t *testing.T) {
	t.Parallel()
	good := t.TempDir()
	r := openRing(t, good)
	check(t, r)
	if err := r.Rotate(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(good, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	open := func(t *testing.T, text []byte, mode, dirMode os.FileMode) error {
		t.Helper()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "master.key"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, "master.key"), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, dirMode); err != nil {
			t.Fatal(err)
		}
		_, err := seal.Open(dir)
		return err
	}
	if err := open(t, text, 0o600, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := open(t, text, 0o400, 0o755); err != nil {
		t.Error(err)
	}
	wantRefused(t, "readable by the group", open(t, text, 0o640, 0o700), aloft.Conflict)
	wantRefused(t, "directory writable by others", open(t, text, 0o600, 0o777), aloft.Conflict)
	head := bytes.IndexByte(text, '\n') + 1
	for i := range text[:len(text)-1] { // the last byte ends the last line, whatever it is
		bad := bytes.Clone(text)
		bad[i] ^= 1
		wantRefused(t, "changed byte", open(t, bad, 0o600, 0o700), aloft.Internal)
		if i < head {
			wantRefused(t, "cut", open(t, text[:i], 0o600, 0o700), aloft.Internal)
		}
	}
	wantRefused(t, "directory", func() error {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "master.key"), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := seal.Open(dir)
		return err
	}(), aloft.Conflict)
}

// TestRace: many keyrings of one new directory end with one key, which all of them use or refuse to go on without.
func TestRace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var mu sync.Mutex
	var values [][]byte
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			r, err := seal.Open(dir)
			if err != nil {
				t.Error(err)
				return
			}
			value, err := r.Check()
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				values = append(values, value)
			} else if aloft.ErrorCode(err) != aloft.Conflict {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r := openRing(t, dir)
	if len(values) == 0 {
		t.Error("nobody made a key")
	}
	for _, value := range values {
		if err := r.Verify(value); err != nil {
			t.Error(err)
		}
	}
}
