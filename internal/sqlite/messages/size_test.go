package messages_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

// TestSize: what queues are said to have is what lies in them, whatever becomes of messages.
func TestSize(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "messages.db"))
	size := func(when string, want int64, queues ...string) {
		t.Helper()
		got, err := s.Size(t.Context(), queues...)
		if err != nil || got != want {
			t.Errorf("%s: %d bytes, want %d: %v", when, got, want, err)
		}
	}
	const body, one = 1000, 1000 + messages.Overhead
	for range 10 {
		put(t, s, messages.Put{Queue: "a/1", Body: make([]byte, body)})
	}
	put(t, s, messages.Put{Queue: "b/1", Body: make([]byte, body), Attributes: make([]byte, 7)})
	size("put", 10*one, "a/1")
	size("both", 11*one+7, "a/1", "b/1", "none")
	got, err := s.Claim(t.Context(), messages.Claim{Queue: "a/1", Max: 3, Visibility: time.Hour})
	if err != nil || len(got) != 3 {
		t.Fatal(got, err)
	}
	if err := s.Apply(t.Context(), messages.Delete{Receipt: got[0].Receipt}, messages.Move{Receipt: got[1].Receipt, To: "b/1"},
		messages.Return{Receipt: got[2].Receipt, Attributes: make([]byte, 30)}); err != nil {
		t.Fatal(err)
	}
	size("deleted, moved and returned", 8*one+30, "a/1")
	size("moved", 2*one+7, "b/1")
	if n, err := s.SizeBelow(t.Context(), "a/"); n != 8*one+30 || err != nil {
		t.Error(n, err)
	}
	if _, err := s.Purge(t.Context(), "a/1"); err != nil {
		t.Fatal(err)
	}
	size("purged", 0, "a/1")
}
