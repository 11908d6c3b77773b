package sqlite_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/appservicetest"
	"github.com/aloft-run/aloft/internal/sqlite"
)

func openStore(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	appservicetest.Run(t, func(t *testing.T) aloft.AppService {
		t.Helper()
		return openStore(t, filepath.Join(t.TempDir(), "aloft.db"))
	})
}

// TestOpenAgain: everything is there after a close, at a path that a connection string could trip over.
func TestOpenAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new dir", "a%20b?mode=memory#c&d.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s)
	if err := s.SetMeta(t.Context(), "check", []byte{0, 1}); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 0600", name, info, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("left after Close: %v, %v; want the database alone", entries, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, path)
	verify(t, s)
	if value, err := s.Meta(t.Context(), "check"); err != nil || string(value) != "\x00\x01" {
		t.Errorf("Meta: %q, %v", value, err)
	}
	if value, err := s.Meta(t.Context(), "none"); err != nil || value != nil {
		t.Errorf("Meta of nothing: %q, %v", value, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a loose mode was left: %v, %v", info, err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, hint string
		code       aloft.Code
		spoil      func(t *testing.T, path string)
	}{
		{"newer schema", "newer aloft", aloft.Conflict, func(t *testing.T, path string) { t.Helper(); execute(t, path, "PRAGMA user_version = 99") }},
		{"other program", "backup", aloft.Conflict, func(t *testing.T, path string) { t.Helper(); execute(t, path, "PRAGMA application_id = 7") }},
		{"broken reference", "backup", aloft.Internal, func(t *testing.T, path string) {
			t.Helper()
			execute(t, path, "PRAGMA foreign_keys = OFF; DELETE FROM apps")
		}},
		{"edited document", "backup", aloft.Internal, func(t *testing.T, path string) {
			t.Helper()
			execute(t, path, "UPDATE releases SET document = replace(document, 'ann', 'eve')")
		}},
		{"moved document", "backup", aloft.Internal, func(t *testing.T, path string) {
			t.Helper()
			execute(t, path, `UPDATE releases SET (document, checksum) = (SELECT document, checksum FROM releases WHERE version = 2) WHERE version = 1`)
		}},
		{"empty file", "backup", aloft.Internal, func(t *testing.T, path string) { t.Helper(); write(t, path, nil) }},
		{"not a database", "backup", aloft.Internal, func(t *testing.T, path string) {
			t.Helper()
			write(t, path, []byte(strings.Repeat("hello ", 4000)))
		}},
		{"log without file", "backup", aloft.Internal, func(t *testing.T, path string) {
			t.Helper()
			if err := os.Rename(path, path+"-wal"); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "aloft.db")
			s, err := sqlite.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			fill(t, s)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			c.spoil(t, path)
			before, _ := os.ReadFile(path)
			err = readAll(t, path)
			e, ok := errors.AsType[*aloft.Error](err)
			if !ok || e.Code != c.code || !strings.Contains(e.Hint, c.hint) {
				t.Errorf("got %#v, want code %s and a hint with %q", err, c.code, c.hint)
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("the refused database was changed")
			}
		})
	}
}

func execute(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestText: what JSON cannot hold is refused, and what only looks like it is kept.
func TestText(t *testing.T) {
	t.Parallel()
	s := openStore(t, filepath.Join(t.TempDir(), "aloft.db"))
	fill(t, s)
	r := release(0, aloft.Pending)
	r.Functions[0].Command = []string{"a\xffb"}
	if _, err := s.CreateRelease(t.Context(), r); aloft.ErrorCode(err) != aloft.Invalid {
		t.Errorf("got %v, want Invalid", err)
	}
	for _, text := range []string{`\ufffd`, "\ufffd", "\x00\u2028<&>"} {
		r.Functions[0].Command[0] = text
		made, err := s.CreateRelease(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Release(t.Context(), staging, made.Version); err != nil || got.Functions[0].Command[0] != text {
			t.Errorf("got %+q, %v; want %+q", got.Functions[0].Command, err, text)
		}
	}
}
