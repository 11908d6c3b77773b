package async_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/async"
)

var staging = aloft.StageRef{App: "shop", Stage: "staging"}

// TestRetries: a function that fails gets the event again after one and two minutes, and then it is a dead letter, which can
// be replayed and removed.
func TestRetries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.do = fails
		w.invoke("e1")
		later(time.Hour)
		if got := w.called(); got != "work e1 @0s, work e1 @1m0s, work e1 @3m0s" {
			t.Error(got)
		}
		w.settled()
		letters := w.dead()
		if len(letters) != 1 || letters[0].ID != "e1" || letters[0].Attempts != 3 || letters[0].Error != "ValueError: no key" || letters[0].Function != "work" {
			t.Fatalf("%+v", letters)
		}
		whole, err := w.DeadLetter(t.Context(), staging, "e1")
		if err != nil || string(whole.Payload) != `{"n": 1}` || !strings.Contains(string(whole.Response), "no key") {
			t.Errorf("%s %s %v", whole.Payload, whole.Response, err)
		}
		if _, err := w.Replay(t.Context(), staging, []string{"e1", "e2"}); aloft.ErrorCode(err) != aloft.NotFound || len(w.dead()) != 1 {
			t.Errorf("replay of one that is not there: %v", err)
		}
		w.do = func(aloft.InvokeInput, int) (aloft.Invoked, error) { return aloft.Invoked{}, nil }
		if n, err := w.Replay(t.Context(), staging, nil); n != 1 || err != nil {
			t.Error(n, err)
		}
		later(time.Minute)
		if got := w.called(); !strings.HasSuffix(got, ", work e1 @1h0m0s") {
			t.Error(got)
		}
		w.settled()
		if len(w.dead()) != 0 {
			t.Error(w.dead())
		}
		w.do = fails
		w.invoke("e3")
		later(time.Hour)
		if n, err := w.RemoveDeadLetters(t.Context(), staging, []string{"e3"}); n != 1 || err != nil || len(w.dead()) != 0 {
			t.Error(n, err, w.dead())
		}
	})
}

// TestSettings: how often, when and until when is the function's to say.
func TestSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		async *aloft.Async
		do    func(aloft.InvokeInput, int) (aloft.Invoked, error)
		calls string
		error string
	}{
		{"no retries", &aloft.Async{Retries: new(0)}, fails, "work e1 @0s", "ValueError: no key"},
		{"another delay", &aloft.Async{RetryDelay: aloft.Duration(time.Second)}, fails, "work e1 @0s, work e1 @1s, work e1 @3s", "ValueError: no key"},
		{"too old", &aloft.Async{MaxAge: aloft.Duration(time.Minute)}, fails, "work e1 @0s", "ValueError: no key"},
		{"takes none", &aloft.Async{MaxAge: aloft.Duration(time.Minute)}, func(aloft.InvokeInput, int) (aloft.Invoked, error) {
			return aloft.Invoked{}, aloft.Errorf(aloft.Unavailable, "busy")
		}, "work e1 @0s, work e1 @1s, work e1 @3s, work e1 @7s, work e1 @15s, work e1 @31s", "busy"},
		{"late success", nil, func(_ aloft.InvokeInput, attempt int) (aloft.Invoked, error) {
			if attempt < 3 {
				return aloft.Invoked{FunctionError: "Sandbox.Timedout"}, nil
			}
			return aloft.Invoked{}, nil
		}, "work e1 @0s, work e1 @1m0s, work e1 @3m0s", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.functions["work"], w.do = c.async, c.do
				w.invoke("e1")
				later(10 * time.Hour)
				if got := w.called(); got != c.calls {
					t.Error(got)
				}
				w.settled()
				letters := w.dead()
				if c.error == "" && len(letters) != 0 || c.error != "" && (len(letters) != 1 || letters[0].Error != c.error) {
					t.Errorf("%+v", letters)
				}
			})
		})
	}
}

// TestDestinations: the record of an event goes where its function says; a destination that takes none leaves a dead letter.
func TestDestinations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.functions["work"] = &aloft.Async{Retries: new(1), OnSuccess: "queue:done", OnFailure: "function:mourn"}
		w.functions["mourn"] = nil
		var mourned aloft.InvokeInput
		w.do = func(input aloft.InvokeInput, _ int) (aloft.Invoked, error) {
			if input.Function == "mourn" {
				mourned = input
			}
			if input.RequestID == "e1" {
				return fails(input, 1)
			}
			return aloft.Invoked{Payload: []byte(`{"ok": true}`)}, nil
		}
		w.invoke("e1")
		w.invoke("e2")
		later(time.Hour)
		failure := `{"version":"1.0","timestamp":"2000-01-01T00:01:00.000Z","requestContext":{"requestId":"e1",` +
			`"functionArn":"arn:aws:lambda:us-east-1:000000000000:function:shop-work-staging:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":2},` +
			`"requestPayload":{"n":1},"responseContext":{"statusCode":200,"executedVersion":"7","functionError":"Unhandled"},` +
			`"responsePayload":{"errorMessage":"no key","errorType":"ValueError"}}`
		if string(mourned.Payload) != failure || mourned.RequestID == "e1" || mourned.RequestID == "" {
			t.Errorf("%s\nwant\n%s", mourned.Payload, failure)
		}
		if len(w.sent) != 1 || !strings.HasPrefix(w.sent[0], "queue:done ") || !strings.Contains(w.sent[0], `"condition":"Success","approximateInvokeCount":1}`) {
			t.Error(w.sent)
		}
		var r struct{ ResponsePayload json.RawMessage }
		if err := json.Unmarshal([]byte(strings.TrimPrefix(w.sent[0], "queue:done ")), &r); err != nil || string(r.ResponsePayload) != `{"ok":true}` {
			t.Error(string(r.ResponsePayload), err)
		}
		w.functions["work"] = &aloft.Async{Retries: new(0), OnFailure: "topic:ops"}
		w.sendErr = errors.New("no such topic")
		w.invoke("e1")
		later(time.Hour)
		if letters := w.dead(); len(letters) != 1 || !strings.Contains(letters[0].Error, "topic:ops takes no record: no such topic") || len(w.sent) != 4 {
			t.Error(letters, len(w.sent))
		}
		w.settled()
	})
}

// TestRestart: what waits, and what was under way, is worked on after the server has started again, with the same id; what
// is under way when it ends in peace and succeeds is not worked on twice.
func TestRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.do = func(input aloft.InvokeInput, attempt int) (aloft.Invoked, error) {
			switch {
			case input.RequestID == "e-slow":
				time.Sleep(10 * time.Second)
			case input.RequestID == "e-cut" && attempt == 1:
				time.Sleep(10 * time.Second)
				return aloft.Invoked{FunctionError: "Runtime.ExitError"}, nil
			case input.RequestID == "e-fails" && attempt == 1:
				return fails(input, 1)
			}
			return aloft.Invoked{}, nil
		}
		for _, id := range []string{"e-slow", "e-cut", "e-fails"} {
			w.invoke(id)
		}
		later(time.Second)
		w.close() // waits for both
		w.open()
		later(time.Hour)
		calls := strings.Split(w.called(), ", ")
		slices.Sort(calls)
		want := "work e-cut @0s, work e-cut @10s, work e-fails @0s, work e-fails @1m0s, work e-slow @0s"
		if got := strings.Join(calls, ", "); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
		w.settled()
	})
}

// TestHandover: the next server takes up no event that the one before has under way, and those that it leaves.
func TestHandover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.do = func(input aloft.InvokeInput, attempt int) (aloft.Invoked, error) {
			if input.RequestID == "e1" && attempt == 1 {
				time.Sleep(10 * time.Second)
			}
			return aloft.Invoked{}, nil
		}
		w.invoke("e1")
		later(time.Second)
		old, store := w.Queue, w.store
		old.Halt()
		w.invoke("e2") // a late one, at the old server
		w.join()
		later(time.Minute)
		if err := errors.Join(old.Close(t.Context()), store.Close(), w.Release(t.Context())); err != nil {
			t.Error(err)
		}
		later(time.Minute)
		if got := w.called(); got != "work e1 @0s, work e2 @1s" {
			t.Error(got)
		}
		w.settled()
	})
}

// TestLanes: a flood of one function holds up no other, and no more of it than bounded is under way.
func TestLanes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.functions["other"] = nil
		var mu sync.Mutex
		now, most, other := 0, 0, time.Duration(-1)
		w.do = func(input aloft.InvokeInput, _ int) (aloft.Invoked, error) {
			if input.Function == "other" {
				mu.Lock()
				other = time.Since(w.began)
				mu.Unlock()
				return aloft.Invoked{}, nil
			}
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			return aloft.Invoked{}, nil
		}
		for i := range 200 {
			w.invoke(fmt.Sprintf("e%d", i))
		}
		if _, err := w.Invoke(t.Context(), aloft.InvokeInput{Stage: staging, Function: "other", Async: true}); err != nil {
			t.Error(err)
		}
		later(time.Minute)
		if most != 10 || other > 0 || other < 0 {
			t.Errorf("%d at once, the other after %s", most, other)
		}
		w.settled()
	})
}

// TestForget: of a stage that is gone nothing stays, not even what is under way.
func TestForget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.functions["work"] = &aloft.Async{Retries: new(0)}
		w.do = func(input aloft.InvokeInput, _ int) (aloft.Invoked, error) {
			if input.RequestID == "e-slow" {
				time.Sleep(time.Minute)
			}
			return fails(input, 1)
		}
		w.invoke("e-fast")
		w.invoke("e-slow")
		later(time.Second)
		if err := w.Forget(t.Context(), staging); err != nil {
			t.Fatal(err)
		}
		later(time.Hour)
		w.settled()
		if letters := w.dead(); len(letters) != 0 {
			t.Error(letters)
		}
	})
}

// TestInvoke: bad events are refused, others pass through, and a server that is not ready takes none.
func TestInvoke(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		input aloft.InvokeInput
		code  aloft.Code
	}{
		{aloft.InvokeInput{Function: "work", Payload: []byte("{")}, aloft.Invalid},
		{aloft.InvokeInput{Function: "work", Payload: []byte(`"` + strings.Repeat("x", aloft.MaxAsyncEvent) + `"`)}, aloft.Invalid},
		{aloft.InvokeInput{Function: "work", RequestID: strings.Repeat("x", 200)}, aloft.Invalid},
		{aloft.InvokeInput{Function: "none"}, aloft.NotFound},
		{aloft.InvokeInput{Function: "web"}, aloft.NotFound},
		{aloft.InvokeInput{Function: "web", Source: "clock"}, ""},
		{aloft.InvokeInput{Function: "work"}, ""},
	} {
		c.input.Stage, c.input.Async = staging, true
		got, err := w.Invoke(t.Context(), c.input)
		if aloft.ErrorCode(err) != c.code || err == nil && len(got.RequestID) != 36 {
			t.Errorf("%.40q: %v %v, want %s", c.input.Payload, got, err, c.code)
		}
	}
	got, err := w.Invoke(t.Context(), aloft.InvokeInput{Stage: staging, Function: "work"})
	if err != nil || string(got.Payload) != `"done"` {
		t.Error(got, err)
	}
	early := async.New(async.Options{Invoker: w.invoker(), Function: w.function})
	if _, err := early.Invoke(t.Context(), aloft.InvokeInput{Stage: staging, Function: "work", Async: true}); aloft.ErrorCode(err) != aloft.Unavailable {
		t.Error(err)
	}
}
