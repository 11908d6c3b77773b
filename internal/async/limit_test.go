package async_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

// TestLoop: functions that are each other's destinations do not hand an event on for ever.
func TestLoop(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(aloft.InvokeInput, int) (aloft.Invoked, error){"failure": fails, "success": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.functions["work"] = &aloft.Async{Retries: new(0), OnSuccess: "function:rest", OnFailure: "function:rest"}
				w.functions["rest"] = &aloft.Async{Retries: new(0), OnSuccess: "function:work", OnFailure: "function:work"}
				if do != nil {
					w.do = do
				}
				w.invoke("e1")
				later(time.Hour)
				w.settled()
				letters := w.dead()
				if n := len(w.attempts); n != 17 || len(letters) != 1 || !strings.Contains(letters[0].Error, "loop") || letters[0].Function != "rest" {
					t.Fatalf("%d invocations, dead letters %+v", n, letters)
				}
				if _, err := w.Replay(t.Context(), staging, nil); err != nil {
					t.Fatal(err)
				}
				later(time.Hour)
				if n := len(w.attempts); n != 34 || len(w.dead()) != 1 {
					t.Errorf("after a replay %d invocations, dead letters %+v", n, w.dead())
				}
			})
		})
	}
}

// TestLongRecord: a record is no longer than an event may be: the answer is left out before.
func TestLongRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.functions["work"] = &aloft.Async{OnSuccess: "queue:done"}
		w.do = func(aloft.InvokeInput, int) (aloft.Invoked, error) {
			return aloft.Invoked{Payload: fmt.Appendf(nil, "%q", strings.Repeat("x", aloft.MaxAsyncEvent))}, nil
		}
		w.invoke("e1")
		later(time.Minute)
		_, text, _ := strings.Cut(strings.Join(w.sent, ""), " ")
		var r struct{ RequestPayload, ResponsePayload json.RawMessage }
		if err := json.Unmarshal([]byte(text), &r); err != nil || len(r.ResponsePayload) > 4 || string(r.RequestPayload) != `{"n":1}` {
			t.Errorf("a record of %d bytes, %v", len(text), err)
		}
	})
}

// TestUnknownVersion: an event for a version that is not there does not hold up others of its function.
func TestUnknownVersion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.functions["work"] = &aloft.Async{MaxAge: aloft.Duration(time.Hour)}
		w.do = func(input aloft.InvokeInput, _ int) (aloft.Invoked, error) {
			if input.Qualifier != "" {
				return aloft.Invoked{}, aloft.Errorf(aloft.NotFound, "there is no release %q", input.Qualifier)
			}
			return aloft.Invoked{}, nil
		}
		lost := aloft.InvokeInput{Stage: staging, Function: "work", Qualifier: "gone", Payload: []byte("1"), Async: true}
		for range 3 {
			if _, err := w.Invoke(t.Context(), lost); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 5 {
			later(10 * time.Minute)
			w.invoke(fmt.Sprintf("e%d", i))
			later(0)
			if got := w.called(); !strings.Contains(got, fmt.Sprintf("work e%d @", i)) {
				t.Fatalf("e%d waits for an event of another version: %s", i, got)
			}
		}
		later(time.Hour)
		w.settled()
		if len(w.dead()) != 3 {
			t.Errorf("%+v", w.dead())
		}
	})
}

// TestDeadLettersEnd: dead letters are kept for two weeks, and of too many the newest.
func TestDeadLettersEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.functions["work"], w.do = &aloft.Async{Retries: new(0)}, fails
		w.invoke("e1")
		later(7 * 24 * time.Hour)
		w.invoke("e2")
		later(6 * 24 * time.Hour)
		if got := len(w.dead()); got != 2 {
			t.Fatalf("%d letters after 13 days", got)
		}
		later(2 * 24 * time.Hour)
		if got := w.dead(); len(got) != 1 || got[0].ID != "e2" {
			t.Fatalf("after 15 days: %+v", got)
		}
		const many = 40
		for i := range many {
			_, err := w.store.Put(t.Context(), messages.Put{
				Queue: "dead/shop/staging/", ID: fmt.Sprint(i), Body: make([]byte, keptDead/(many/2)), Attributes: []byte(`{}`),
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		later(time.Hour)
		if got := w.dead(); len(got) != many/2-1 || got[len(got)-1].ID != fmt.Sprint(many-1) {
			t.Errorf("%d letters are left", len(got))
		}
	})
}
