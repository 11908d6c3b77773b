package async_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lineage"
)

// TestLineage: a function whose records go to a queue that invokes it is invoked 16 times, whether it fails or not; its event is a
// dead letter then, the log says why, and a replay begins anew. Allowed, it goes on.
func TestLineage(t *testing.T) {
	t.Parallel()
	const allowed = 50
	for name, c := range map[string]struct {
		loops string
		do    func(aloft.InvokeInput, int) (aloft.Invoked, error)
		want  int
	}{"failure": {"", fails, lineage.Most}, "success": {aloft.LoopsEnd, nil, lineage.Most}, "allowed": {aloft.LoopsAllowed, nil, allowed}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.functions["work"] = &aloft.Async{Retries: new(0), OnSuccess: "queue:jobs", OnFailure: "queue:jobs", Loops: c.loops}
				if c.do != nil {
					w.do = c.do
				}
				w.onSend = func(trace string, _ []byte) {
					if w.Ends(t.Context(), aloft.InvokeInput{Stage: staging, Function: "work", Trace: trace}) == (c.loops == aloft.LoopsAllowed) && lineage.Loops(trace, staging, "work") {
						t.Error("Ends says the contrary")
					}
					if len(w.sent) < allowed-1 {
						_, err := w.Invoke(t.Context(), aloft.InvokeInput{Stage: staging, Function: "work", Payload: []byte(`{}`), Async: true, Trace: trace})
						if err != nil {
							t.Error(err)
						}
					}
				}
				w.invoke("e1")
				later(time.Hour)
				w.settled()
				if n := len(w.attempts); n != c.want {
					t.Fatalf("%d invocations", n)
				}
				if c.loops == aloft.LoopsAllowed {
					return
				}
				if letters := w.dead(); len(letters) != 1 || !strings.Contains(letters[0].Error, "loop") {
					t.Fatalf("dead letters %+v", letters)
				}
				if len(w.lines) != 1 || !strings.HasPrefix(w.lines[0], "work a loop was ended") {
					t.Errorf("the log has %q", w.lines)
				}
				if _, err := w.Replay(t.Context(), staging, nil); err != nil {
					t.Fatal(err)
				}
				later(time.Hour)
				if n := len(w.attempts); n != 2*c.want || len(w.dead()) != 1 {
					t.Errorf("after a replay %d invocations, dead letters %+v", n, w.dead())
				}
			})
		})
	}
}

// TestLargeLoop: what a source hands over since it runs in circles becomes a dead letter though it is larger than an event that nobody
// waits for; it is kept whole, and replayed.
func TestLargeLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.KeepDead(8 << 20)
		trace := ""
		for range lineage.Most {
			trace = lineage.Step(trace, staging, "work")
		}
		payload := []byte(`"` + strings.Repeat("x", 2*aloft.MaxAsyncEvent) + `"`)
		invoke := func(source string) error {
			_, err := w.Invoke(t.Context(), aloft.InvokeInput{Stage: staging, Function: "work", Payload: payload, Async: true, Trace: trace, Source: source, RequestID: "e1"})
			return err
		}
		if err := invoke(""); aloft.ErrorCode(err) != aloft.Invalid {
			t.Errorf("from no source: %v", err)
		}
		if err := invoke("jobs"); err != nil {
			t.Fatal(err)
		}
		later(time.Minute)
		w.settled()
		if letters := w.dead(); len(letters) != 1 || len(w.attempts) != 0 || !strings.Contains(letters[0].Error, "loop") {
			t.Fatalf("%d invocations, dead letters %+v", len(w.attempts), letters)
		}
		if letter, err := w.DeadLetter(t.Context(), staging, "e1"); err != nil || !bytes.Equal(letter.Payload, payload) {
			t.Errorf("the letter has %d of %d bytes: %v", len(letter.Payload), len(payload), err)
		}
		if _, err := w.Replay(t.Context(), staging, nil); err != nil {
			t.Fatal(err)
		}
		later(time.Minute)
		w.settled()
		if len(w.attempts) != 1 || len(w.dead()) != 0 {
			t.Errorf("after a replay %d invocations, dead letters %+v", len(w.attempts), w.dead())
		}
	})
}
