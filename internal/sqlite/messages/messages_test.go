package messages_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

func open(t *testing.T, path string) *messages.Store {
	t.Helper()
	s, err := messages.Open(t.Context(), path)
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

func put(t *testing.T, s *messages.Store, puts ...messages.Put) []messages.Stored {
	t.Helper()
	stored, err := s.Put(t.Context(), puts...)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func apply(t *testing.T, s *messages.Store, changes ...messages.Change) {
	t.Helper()
	if err := s.Apply(t.Context(), changes...); err != nil {
		t.Fatal(err)
	}
}

// claim claims for a minute and returns the messages with their identifiers.
func claim(t *testing.T, s *messages.Store, queue string, limit int) (got []messages.Message, ids string) {
	t.Helper()
	got, err := s.Claim(t.Context(), messages.Claim{Queue: queue, Max: limit, Visibility: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return got, names(got)
}

func names(all []messages.Message) string {
	ids := make([]string, len(all))
	for i, m := range all {
		ids[i] = m.ID
	}
	return strings.Join(ids, " ")
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// TestLife: a message comes with all that was put, once per claim, until it is deleted.
func TestLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, filepath.Join(t.TempDir(), "messages.db"))
		put(t, s, messages.Put{Queue: "q", ID: "a", Body: []byte("body"), Attributes: []byte("attributes")}, messages.Put{Queue: "other", ID: "z"})
		began := time.Now()
		time.Sleep(time.Second)
		got, ids := claim(t, s, "q", 10)
		want(t, "claimed", ids, "a")
		m := got[0]
		want(t, "content", fmt.Sprintf("%s %s %d %s", m.Body, m.Attributes, m.Claims, m.Queue), "body attributes 1 q")
		want(t, "times", fmt.Sprint(m.Enqueued.Equal(began), m.Claimed.Sub(began), m.Due.Sub(began)), "true 1s 1m1s")
		_, ids = claim(t, s, "q", 10)
		want(t, "while claimed", ids, "")
		time.Sleep(time.Minute)
		again, ids := claim(t, s, "q", 10)
		want(t, "claimed again", ids, "a")
		want(t, "claims", again[0].Claims, 2)
		apply(t, s, messages.Delete{Receipt: m.Receipt}, messages.Delete{Receipt: "nonsense"})
		apply(t, s, messages.Return{Receipt: again[0].Receipt, Delay: time.Hour})
		counts, err := s.Count(t.Context(), "q")
		want(t, "counts", fmt.Sprint(counts, err), "{0 1 0} <nil>")
		time.Sleep(time.Hour)
		again, _ = claim(t, s, "q", 1)
		for receipt, expect := range map[string]bool{m.Receipt: false, again[0].Receipt: true} {
			good, err := s.Extend(t.Context(), messages.Extend{Receipt: receipt, Visibility: time.Hour})
			want(t, "extended", fmt.Sprint(good, err), fmt.Sprint(expect, nil))
		}
		time.Sleep(59 * time.Minute)
		_, ids = claim(t, s, "q", 1)
		want(t, "extended", ids, "")
		apply(t, s, messages.Delete{Receipt: again[0].Receipt})
		time.Sleep(time.Hour)
		_, ids = claim(t, s, "q", 1)
		want(t, "deleted", ids, "")
	})
}

// TestGroups: of a group one claim is under way, in the order of the puts, whatever becomes of its messages.
func TestGroups(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, filepath.Join(t.TempDir(), "messages.db"))
		for _, id := range []string{"a1", "b1", "a2", "a3", "b2", "a4"} {
			put(t, s, messages.Put{Queue: "q", ID: id, Group: id[:1]})
		}
		first, ids := claim(t, s, "q", 3)
		want(t, "first", ids, "a1 a2 b1")
		_, ids = claim(t, s, "q", 10)
		want(t, "while the groups are claimed", ids, "")
		apply(t, s, messages.Delete{Receipt: first[0].Receipt}, messages.Delete{Receipt: first[2].Receipt})
		_, ids = claim(t, s, "q", 10)
		want(t, "a2 is claimed still", ids, "b2")
		apply(t, s, messages.Return{Receipt: first[1].Receipt})
		second, ids := claim(t, s, "q", 2)
		want(t, "returned", ids, "a2 a3")
		apply(t, s, messages.Move{Receipt: second[0].Receipt, To: "dead"})
		_, ids = claim(t, s, "dead", 1)
		want(t, "moved", ids, "a2")
		_, ids = claim(t, s, "q", 10)
		want(t, "a3 is claimed still", ids, "")
		time.Sleep(2 * time.Minute)
		_, ids = claim(t, s, "q", 10)
		want(t, "after the claims have ended", ids, "a3 a4 b2")
		if n, err := s.Expire(t.Context(), "q", time.Now()); n != 3 || err != nil {
			t.Error(n, err)
		}
		put(t, s, messages.Put{Queue: "q", ID: "a5", Group: "a"})
		_, ids = claim(t, s, "q", 10)
		want(t, "after those before it have expired", ids, "a5")
	})
}

// TestDedup: a second put with the same identifier is none for five minutes.
func TestDedup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, filepath.Join(t.TempDir(), "messages.db"))
		one := put(t, s, messages.Put{Queue: "q", ID: "one", Dedup: "x"}, messages.Put{Queue: "other", ID: "two", Dedup: "x"})
		again := put(t, s, messages.Put{Queue: "q", ID: "three", Dedup: "x"})[0]
		want(t, "again", again, messages.Stored{ID: "one", Sequence: one[0].Sequence, Duplicate: true})
		time.Sleep(messages.DedupWindow)
		want(t, "later", put(t, s, messages.Put{Queue: "q", ID: "three", Dedup: "x"})[0].Duplicate, false)
		_, ids := claim(t, s, "q", 10)
		want(t, "messages", ids, "one three")
	})
}

// TestReceive: who waits gets a message when it is put, when its delay is over, when another's claim ends, and when it is
// returned; and no error but that of the end.
func TestReceive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, filepath.Join(t.TempDir(), "messages.db"))
		began, last := time.Now(), messages.Message{}
		receive := func(ctx context.Context) (messages.Message, error) {
			got, err := s.Receive(ctx, messages.Claim{Queue: "q", Visibility: time.Minute})
			if err != nil {
				return messages.Message{}, err
			}
			return got[0], nil
		}
		for _, step := range []struct {
			do func(m messages.Message)
			at time.Duration
		}{
			{func(messages.Message) { put(t, s, messages.Put{Queue: "q", ID: "a"}) }, 0},
			{func(m messages.Message) { apply(t, s, messages.Return{Receipt: m.Receipt, Delay: 30 * time.Second}) }, 30 * time.Second},
			{func(messages.Message) {}, 90 * time.Second},
			{func(m messages.Message) { apply(t, s, messages.Extend{Receipt: m.Receipt}) }, 90 * time.Second},
		} {
			m := last
			var wg sync.WaitGroup
			wg.Go(func() {
				got, err := receive(t.Context())
				if err != nil || got.ID != "a" || time.Since(began) != step.at {
					t.Errorf("%v %v after %s, want it after %s", got.ID, err, time.Since(began), step.at)
				}
				last = got
			})
			synctest.Wait()
			step.do(m)
			wg.Wait()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := receive(ctx); err == nil || ctx.Err() == nil {
			t.Error("it came while it was claimed")
		}
	})
}

// TestAtomic: all changes are made or none.
func TestAtomic(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "messages.db"))
	put(t, s, messages.Put{Queue: "q", ID: "a"}, messages.Put{Queue: "q", ID: "b"})
	got, _ := claim(t, s, "q", 1)
	apply(t, s, messages.Delete{Receipt: got[0].Receipt}, messages.Put{Queue: "dead", ID: "a"})
	all, err := s.Queues(t.Context(), "a", "z")
	want(t, "queues", fmt.Sprint(all, err), "map[dead:{1 0 0} q:{1 0 0}] <nil>")
	peeked, err := s.Peek(t.Context(), "dead", 0, 10)
	if err != nil || names(peeked) != "a" || peeked[0].Receipt != "" {
		t.Fatal(peeked, err)
	}
	apply(t, s, messages.Remove{Sequence: peeked[0].Sequence})
	if n, err := s.Purge(t.Context(), "q"); n != 1 || err != nil {
		t.Error(n, err)
	}
	all, err = s.Queues(t.Context(), "a", "z")
	want(t, "queues", fmt.Sprint(all, err), "map[] <nil>")
}

// TestRelease: bound claims end with their Store, others do not; two Stores may have the file open.
func TestRelease(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "messages.db")
	old := open(t, path)
	put(t, old, messages.Put{Queue: "async/a", ID: "a"}, messages.Put{Queue: "async/a", ID: "b"}, messages.Put{Queue: "sqs", ID: "c"})
	bound, err := old.Claim(t.Context(), messages.Claim{Queue: "async/a", Max: 2, Visibility: time.Hour, Bound: true})
	if err != nil || len(bound) != 2 {
		t.Fatal(bound, err)
	}
	claim(t, old, "sqs", 1)
	next := open(t, path)
	apply(t, old, messages.Delete{Receipt: bound[0].Receipt})
	n, err := next.Release(t.Context(), "async/")
	want(t, "released", fmt.Sprint(n, err), "1 <nil>")
	got, ids := claim(t, next, "async/a", 5)
	want(t, "released", ids, "b")
	want(t, "claims", got[0].Claims, 2)
	apply(t, old, messages.Delete{Receipt: bound[1].Receipt}) // too late: it is another's
	_, ids = claim(t, next, "sqs", 5)
	want(t, "not bound", ids, "")
	if n, err := next.Release(t.Context(), ""); n != 0 || err != nil {
		t.Error(n, err)
	}
}
