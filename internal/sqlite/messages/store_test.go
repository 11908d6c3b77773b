package messages_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/sqlite"
	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

// TestConcurrent: many putters and claimers lose nothing, and nobody gets what another has.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "messages.db"))
	const workers, each = 16, 50
	var mu sync.Mutex
	var got []string
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				if _, err := s.Put(t.Context(), messages.Put{Queue: "q", ID: fmt.Sprintf("%d-%d", w, i)}); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range each {
				m, err := s.Receive(t.Context(), messages.Claim{Queue: "q", Visibility: time.Hour})
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Apply(t.Context(), messages.Delete{Receipt: m[0].Receipt}); err != nil {
					t.Error(err)
				}
				mu.Lock()
				got = append(got, m[0].ID)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	slices.Sort(got)
	want(t, "different messages", len(slices.Compact(got)), workers*each)
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestRefused: what is no file of ours, or damaged, is not opened, and a closed Store says so.
func TestRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "messages.db")
	s, err := messages.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, messages.Put{Queue: "q"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), messages.Put{Queue: "q"}); aloft.ErrorCode(err) != aloft.Unavailable {
		t.Errorf("closed: %v", err)
	}
	if _, err := sqlite.Open(t.Context(), path); aloft.ErrorCode(err) != aloft.Conflict {
		t.Errorf("as aloft's database: %v", err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(b []byte){
		"newer":   func(b []byte) { b[63] = 99 }, // user_version
		"damaged": func(b []byte) { copy(b[4096:], strings.Repeat("x", 4096)) },
	} {
		b := slices.Clone(content)
		change(b)
		broken := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(broken, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := messages.Open(t.Context(), broken)
		if code := aloft.ErrorCode(err); code != map[string]aloft.Code{"newer": aloft.Conflict, "damaged": aloft.Internal}[name] || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// BenchmarkLife measures a put, a claim and a delete, from 64 goroutines.
func BenchmarkLife(b *testing.B) {
	s, err := messages.Open(b.Context(), filepath.Join(b.TempDir(), "messages.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	body := []byte(strings.Repeat("x", 200))
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Put(b.Context(), messages.Put{Queue: "q", Body: body}); err != nil {
				b.Error(err)
			}
			m, err := s.Claim(b.Context(), messages.Claim{Queue: "q", Visibility: time.Hour})
			if err != nil || len(m) == 0 {
				b.Error(m, err)
				return
			}
			if err := s.Apply(b.Context(), messages.Delete{Receipt: m[0].Receipt}); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
