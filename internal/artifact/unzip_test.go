package artifact_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
)

// unzip unpacks a zip of a stranger inside of the jail.
func (j *jail) unzip(t *testing.T, data []byte, most artifact.Limits) error {
	t.Helper()
	dst := filepath.Join(j.dir, "app")
	err := artifact.Unzip(t.Context(), bytes.NewReader(data), int64(len(data)), dst, most)
	if err == nil {
		leavesNoTrap(t, dst)
		must(t, os.RemoveAll(dst))
	}
	if after := listing(t, j.dir); after != j.before {
		t.Fatalf("after %v\nthere is\n%s\nthere was\n%s", err, after, j.before)
	}
	return err
}

func limits() artifact.Limits { return artifact.Limits{Files: 100, Bytes: 1 << 20} }

func TestHostileZips(t *testing.T) {
	t.Parallel()
	for name, members := range hostileArchives() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			coded(t, newJail(t).unzip(t, forge(t, members), limits()), aloft.Invalid, "the zip")
		})
	}
	for name, data := range map[string][]byte{
		"nothing":        nil,
		"no zip":         []byte("PK\x03\x04 and nothing more"),
		"too many bytes": forge(t, []member{file("a", strings.Repeat("a", 1<<20)), file("b", "b")}),
		"too many files": forge(t, func() (all []member) {
			for i := range 101 {
				all = append(all, file(strings.Repeat("a", i+1), "x"))
			}
			return all
		}()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			coded(t, newJail(t).unzip(t, data, limits()), aloft.Invalid, "the zip")
		})
	}
}

// TestZipBomb forges what an entry declares: no more is written than that, and nothing is left.
func TestZipBomb(t *testing.T) {
	t.Parallel()
	data := forge(t, []member{file("a", strings.Repeat("a", 1<<19))})
	central := bytes.LastIndex(data, []byte("PK\x01\x02"))
	copy(data[central+24:], []byte{10, 0, 0, 0})
	coded(t, newJail(t).unzip(t, data, limits()), aloft.Invalid, "the zip")
}

func TestUnzip(t *testing.T) {
	t.Parallel()
	dst := filepath.Join(t.TempDir(), "app")
	data := forge(t, []member{
		{"empty/", "", fs.ModeDir | 0o755}, {"d/", "", fs.ModeDir | 0o755}, file("d/a.py", "a"), {"bootstrap", "#!", 0o755}, link("l", "d/a.py"), file(".git/config", "x"),
	})
	must(t, artifact.Unzip(t.Context(), bytes.NewReader(data), int64(len(data)), dst, limits()))
	if text, err := os.ReadFile(filepath.Join(dst, "l")); err != nil || string(text) != "a" {
		t.Errorf("%q %v", text, err)
	}
	if info, err := os.Stat(filepath.Join(dst, "bootstrap")); err != nil || info.Mode() != 0o755 {
		t.Errorf("%v %v", info, err)
	}
	for _, name := range []string{".git", "empty"} {
		if _, err := os.Lstat(filepath.Join(dst, name)); err == nil {
			t.Errorf("%s is there", name)
		}
	}
}
