package hostile_test

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/aloftest"
)

// floodStorage is what the log of a stage may take: 256 MB and the segments in the works.
const floodStorage = 320 << 20

// flood prints random bytes, which nothing compresses: as one line without an end, or as short ones.
func flood(w http.ResponseWriter, r *http.Request) {
	var seed [32]byte
	random := rand.NewChaCha8(seed)
	block, lines := make([]byte, 1<<20), r.URL.Query().Has("lines")
	for range floodBytes / len(block) {
		_, _ = random.Read(block) // it never fails
		for i, b := range block {
			switch {
			case lines && i%100 == 99:
				block[i] = '\n'
			case b == '\n':
				block[i] = 'n'
			}
		}
		if _, err := os.Stdout.Write(block); err != nil {
			return
		}
	}
	fmt.Fprint(w, "done")
}

// TestFlood: an app that prints a gigabyte, with newlines or without, is neither stopped by it nor does it stop others, and
// takes no more of the server's memory and disk than its share.
func TestFlood(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	s.Serve(t)
	s.Up(t, s.dir)
	quiet := t.TempDir()
	for name, text := range map[string]string{"aloft.yml": "name: quiet\n", "index.html": "quiet"} {
		if err := os.WriteFile(filepath.Join(quiet, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.Up(t, quiet)
	before := s.memory(t, "VmRSS")
	for _, kind := range []string{"", "?lines"} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		done := make(chan error, 1)
		go func() { done <- s.ask(ctx, url+"/flood"+kind) }()
		requests := 0
		for ended := false; !ended; requests++ {
			select {
			case err := <-done:
				ended = true
				if err != nil {
					t.Fatalf("flood%s: %v", kind, err)
				}
			case <-time.After(10 * time.Millisecond):
				if status, body := s.Get(t, "http://quiet.localhost"); status != http.StatusOK || body != "quiet" {
					t.Fatalf("meanwhile the other app answers %d %q", status, body)
				}
			}
		}
		cancel()
		if requests < 5 {
			t.Errorf("only %d requests meanwhile: the test shows nothing", requests)
		}
		grown, stored := s.memory(t, "VmHWM")-before, size(t, filepath.Join(s.Home, "logs"))
		t.Logf("flood%s: %d requests meanwhile, the server grew by %d MB at most, logs take %d MB", kind, requests, grown>>20, stored>>20)
		if grown > floodMemory || stored > floodStorage {
			t.Errorf("the server grew by %d MB, the logs take %d MB", grown>>20, stored>>20)
		}
	}
	aloftest.Eventually(t, time.Minute, func() error {
		s.Get(t, url) // again and again: the rest of the flood may still be on its way to the log
		out, errs, err := s.Run(s.dir, "logs", "--stage", "production", "-n", "5")
		if err != nil || !strings.Contains(out, "GET / 200") {
			return fmt.Errorf("the end of the log: %w\n%.500s%s", err, out, errs)
		}
		return nil
	})
}

// ask sends a request that takes long.
func (s *shop) ask(ctx context.Context, address string) error {
	request, err := s.Request(ctx, http.MethodGet, address, "")
	if err != nil {
		return err
	}
	res, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", res.Status)
	}
	return nil
}

// memory is a line of the server's /proc/PID/status, in bytes.
func (s *shop) memory(t *testing.T, name string) int64 {
	t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", s.pid(t), "status"))
	if err != nil {
		t.Skipf("needs Linux's /proc: %v", err)
	}
	_, rest, _ := strings.Cut(string(status), name+":")
	kilobytes, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// size is what the files below a directory hold.
func size(t *testing.T, dir string) (sum int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if info, infoErr := d.Info(); err == nil && infoErr == nil && d.Type().IsRegular() {
			sum += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}
