package cli_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aloft-run/aloft/internal/cli"
)

// TestTheServersLogIsBounded: two writers, as two processes have it, lose no line and cut none; files are no larger than
// they may be, and the oldest goes.
func TestTheServersLogIsBounded(t *testing.T) {
	const size, writers, lines = 4096, 3, 2000
	path := filepath.Join(t.TempDir(), "server.log")
	var wg sync.WaitGroup
	for w := range writers {
		log, err := cli.OpenRotatingLog(path, size, 1000)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			defer log.Close()
			for i := range lines {
				fmt.Fprintf(log, "%d %d %s\n", w, i, strings.Repeat("x", i%50))
			}
		})
	}
	wg.Wait()
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	seen := map[string]bool{}
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil || info.Size() > size+writers*100 || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		for s := bufio.NewScanner(f); s.Scan(); {
			var w, i int
			text := ""
			if n, _ := fmt.Sscanf(s.Text()+"\n", "%d %d %s\n", &w, &i, &text); n < 2 || len(text) != i%50 {
				t.Errorf("%s has the line %q", name, s.Text())
			}
			seen[fmt.Sprint(w, i)] = true
		}
		f.Close()
	}
	if len(seen) != writers*lines {
		t.Errorf("%d lines of %d", len(seen), writers*lines)
	}
	log, err := cli.OpenRotatingLog(path, size, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for _, name := range files {
		os.Remove(name)
	}
	for range 1000 {
		fmt.Fprintln(log, strings.Repeat("y", 99))
	}
	if files, _ := filepath.Glob(path + "*"); len(files) != 4 {
		t.Errorf("kept: %q", files)
	}
}
