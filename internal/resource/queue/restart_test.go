package queue_test

import (
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/resource/queue"
)

// TestRestart: what was sent is there after a restart, with what is in flight coming back in its time.
func TestRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := open(t, dir)
	if _, err := store.Create(t.Context(), queue.Queue{Name: "jobs"}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Send(t.Context(), "jobs", queue.Send{Body: "a"}, queue.Send{Body: "b"}); err != nil {
		t.Fatal(err)
	}
	short := 10 * time.Millisecond
	if _, err := store.Receive(t.Context(), "jobs", queue.Receive{Visibility: &short}); err != nil {
		t.Fatal(err)
	}
	_ = store.Close()
	store = open(t, dir)
	defer func() { _ = store.Close() }()
	wait := 20 * time.Second
	bodies := map[string]bool{}
	for len(bodies) < 2 {
		got, err := store.Receive(t.Context(), "jobs", queue.Receive{Wait: &wait})
		if err != nil || len(got) == 0 {
			t.Fatal(got, err)
		}
		bodies[got[0].Body] = true
	}
}
