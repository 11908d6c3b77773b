package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/sqlite"
)

// schemas are the migrations of today and n of the future.
func schemas(t *testing.T, n int) fs.FS {
	t.Helper()
	all := fstest.MapFS{}
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(files) != sqlite.Schema() {
		t.Fatal(files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = &fstest.MapFile{Data: text}
	}
	for i := range n {
		all["migrations/9"+strings.Repeat("9", i)+".sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE future" + strings.Repeat("x", i) + " (a INTEGER) STRICT")}
	}
	return all
}

func backups(t *testing.T, path string) []string {
	t.Helper()
	found, err := filepath.Glob(path + ".schema*")
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestBackup: before the schema changes a copy is made, an older version names it with the commands that bring it back, and
// they do. Three copies stay.
func TestBackup(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "aloft.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s)
	for range 2 {
		if err := s.SetVersion(t.Context(), "1.0"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil || len(backups(t, path)) != 0 {
		t.Fatal(err, backups(t, path))
	}
	for i := range 5 {
		newer, err := sqlite.OpenWith(t.Context(), path, schemas(t, i+1))
		if err != nil {
			t.Fatal(err)
		}
		verify(t, newer)
		if err := newer.SetVersion(t.Context(), "2.5"); err != nil {
			t.Error(err)
		}
		if err := newer.Close(); err != nil {
			t.Error(err)
		}
		if all := backups(t, path); len(all) != min(i+1, 3) {
			t.Errorf("%d copies after %d changes: %q", len(all), i+1, all)
		}
	}
	_, err = sqlite.OpenWith(t.Context(), path, schemas(t, 4))
	e, ok := errors.AsType[*aloft.Error](err)
	if !ok || e.Code != aloft.Conflict || !strings.Contains(e.Message, "newer aloft 2.5") || !strings.Contains(e.Hint, "mv "+path) {
		t.Fatalf("an older version says %v", err)
	}
	_, commands, _ := strings.Cut(e.Hint, "mv ")
	copied := strings.Fields(commands)[5]
	if !strings.HasPrefix(copied, fmt.Sprintf("%s.schema%d-", path, sqlite.Schema()+4)) {
		t.Fatalf("it names %q: %s", copied, e.Hint)
	}
	if info, err := os.Stat(copied); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := os.Rename(copied, path); err != nil {
		t.Fatal(err)
	}
	old, err := sqlite.OpenWith(t.Context(), path, schemas(t, 4))
	if err != nil {
		t.Fatal(err)
	}
	verify(t, old)
	if err := old.Close(); err != nil {
		t.Error(err)
	}
}

// TestLend: while another has the database calls are refused, and afterwards all is as before, whatever the other made of
// the schema.
func TestLend(t *testing.T) {
	t.Parallel()
	for _, newer := range []int{0, 1} {
		path := filepath.Join(t.TempDir(), "aloft.db")
		s := openStore(t, path)
		fill(t, s)
		if err := s.Suspend(t.Context()); err != nil {
			t.Fatal(err)
		}
		if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
			t.Errorf("lent: %v, %v; want the database alone", entries, err)
		}
		if _, err := s.Apps(t.Context()); aloft.ErrorCode(err) != aloft.Unavailable {
			t.Errorf("read: %v", err)
		}
		if err := s.DeleteStage(t.Context(), staging); aloft.ErrorCode(err) != aloft.Unavailable {
			t.Errorf("write: %v", err)
		}
		other, err := sqlite.OpenWith(t.Context(), path, schemas(t, newer))
		if err != nil {
			t.Fatal(err)
		}
		if newer > 0 {
			if err := other.DeleteStage(t.Context(), staging); err != nil {
				t.Error(err)
			}
		}
		if err := other.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		verify(t, s)
		if _, err := s.CreateRelease(t.Context(), release(41, aloft.Pending)); err != nil {
			t.Error(err)
		}
	}
}

// TestLendIsGivenUp: a call that does not end keeps the database here.
func TestLendIsGivenUp(t *testing.T) {
	t.Parallel()
	s := openStore(t, filepath.Join(t.TempDir(), "aloft.db"))
	fill(t, s)
	end := sqlite.HoldReader(t, s)
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Suspend(soon); err == nil {
		t.Error("it was lent")
	}
	verify(t, s)
	end()
}
