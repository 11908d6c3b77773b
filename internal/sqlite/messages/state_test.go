package messages_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

var writeState = flag.Bool("write-state", false, "write testdata/state/v1.db; only for a schema that was never released")

// TestOldState opens the file that each released schema left; testdata keeps them all.
func TestOldState(t *testing.T) {
	t.Parallel()
	if *writeState {
		s := open(t, filepath.Join("testdata", "state", "v1.db"))
		put(t, s, messages.Put{Queue: "q", ID: "a1", Group: "a", Body: []byte("body"), Attributes: []byte("attributes")}, messages.Put{Queue: "q", ID: "a2", Group: "a"},
			messages.Put{Queue: "q", ID: "late", Delay: 100 * 365 * 24 * time.Hour})
		return
	}
	files, err := filepath.Glob("testdata/state/v*.db")
	if err != nil || len(files) == 0 {
		t.Fatal("no state files", err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "messages.db")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, path)
		counts, err := s.Count(t.Context(), "q")
		if err != nil || counts != (messages.Counts{Ready: 2, Delayed: 1}) {
			t.Errorf("%s: %+v %v", name, counts, err)
		}
		got, ids := claim(t, s, "q", 10)
		want(t, name, ids, "a1 a2")
		want(t, name, string(got[0].Body)+string(got[0].Attributes), "bodyattributes")
	}
}

// TestRequeue: a message of which a list told goes to another queue once, as a new one, with its body.
func TestRequeue(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "messages.db"))
	put(t, s, messages.Put{Queue: "dead", ID: "a", Body: []byte("body"), Attributes: []byte("old")})
	listed, err := s.List(t.Context(), "dead", 0, 10)
	if err != nil || len(listed) != 1 || len(listed[0].Body) != 0 || string(listed[0].Attributes) != "old" {
		t.Fatal(listed, err)
	}
	again := messages.Requeue{Sequence: listed[0].Sequence, To: "q", Attributes: []byte("new")}
	apply(t, s, again)
	got, ids := claim(t, s, "q", 10)
	want(t, "requeued", ids, "a")
	want(t, "content", string(got[0].Body)+string(got[0].Attributes), "bodynew")
	if err := s.Apply(t.Context(), messages.Put{Queue: "q", ID: "b"}, again); err == nil {
		t.Error("a claimed message was requeued")
	}
	_, ids = claim(t, s, "q", 10)
	want(t, "what came with it", ids, "")
}
