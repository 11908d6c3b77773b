package async_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/async"
	"github.com/aloft-run/aloft/internal/lineage"
	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

// world is a Queue over functions that are Go.
type world struct {
	*async.Queue

	t     *testing.T
	path  string
	store *messages.Store

	mu        sync.Mutex
	functions map[string]*aloft.Async
	do        func(input aloft.InvokeInput, attempt int) (aloft.Invoked, error)
	calls     []string // "function id @time"
	attempts  map[string]int
	sent      []string
	sendErr   error
	onSend    func(trace string, record []byte) // what becomes of what is sent
	lines     []string                          // of the log
	began     time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, path: filepath.Join(t.TempDir(), "messages.db"), attempts: map[string]int{}, functions: map[string]*aloft.Async{"work": nil}, began: time.Now()}
	w.do = func(aloft.InvokeInput, int) (aloft.Invoked, error) {
		return aloft.Invoked{Payload: []byte(`"done"`)}, nil
	}
	w.open()
	t.Cleanup(w.close)
	return w
}

// keptDead is how many bytes of dead letters are kept: enough for all tests but that of it.
const keptDead = 256 << 10

// open is the start of a server.
func (w *world) open() {
	w.t.Helper()
	w.begin(messages.Open)
	if err := w.Release(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// join is the start of a server that takes the place of another.
func (w *world) join() {
	w.t.Helper()
	w.begin(messages.Join)
}

func (w *world) begin(open func(context.Context, string) (*messages.Store, error)) {
	w.t.Helper()
	store, err := open(w.t.Context(), w.path)
	if err != nil {
		w.t.Fatal(err)
	}
	w.store = store
	w.Queue = async.New(async.Options{Invoker: w.invoker(), Function: w.function, Stage: w.stage, Send: w.send, Log: w.log, Logger: slog.New(slog.DiscardHandler)})
	w.KeepDead(keptDead)
	if err := w.Begin(w.t.Context(), store); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) close() {
	if err := errors.Join(w.Queue.Close(context.Background()), w.store.Close()); err != nil {
		w.t.Error(err)
	}
}

// invokerFunc is an Invoker.
type invokerFunc func(ctx context.Context, input aloft.InvokeInput) (aloft.Invoked, error)

func (f invokerFunc) Invoke(ctx context.Context, input aloft.InvokeInput) (aloft.Invoked, error) {
	return f(ctx, input)
}

func (w *world) invoker() invokerFunc {
	return func(_ context.Context, input aloft.InvokeInput) (aloft.Invoked, error) {
		w.mu.Lock()
		key := input.Function + " " + input.RequestID
		w.attempts[key]++
		attempt := w.attempts[key]
		if strings.HasPrefix(input.RequestID, "e") || input.Function == "work" {
			w.calls = append(w.calls, fmt.Sprintf("%s @%s", key, time.Since(w.began).Truncate(time.Second)))
		}
		do := w.do
		w.mu.Unlock()
		got, err := do(input, attempt)
		got.RequestID, got.Release = input.RequestID, 7
		return got, err
	}
}

func (w *world) function(_ context.Context, _ aloft.StageRef, name string) (aloft.Function, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if name == "web" {
		return aloft.Function{Name: name, Kind: aloft.Web}, nil
	}
	a, found := w.functions[name]
	if !found {
		return aloft.Function{}, aloft.Errorf(aloft.NotFound, "there is no function %q", name)
	}
	return aloft.Function{Name: name, Kind: aloft.Handler, Async: a}, nil
}

func (w *world) stage(_ context.Context, ref aloft.StageRef) error {
	if ref != staging {
		return aloft.Errorf(aloft.NotFound, "there is no stage %s", ref)
	}
	return nil
}

func (w *world) send(ctx context.Context, _ aloft.StageRef, to string, record []byte) error {
	if w.onSend != nil {
		w.onSend(lineage.From(ctx), record)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, to+" "+string(record))
	return w.sendErr
}

func (w *world) log(_ aloft.StageRef, line aloft.LogLine) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, line.Function+" "+line.Text)
}

func (w *world) invoke(id string) {
	w.t.Helper()
	got, err := w.Invoke(w.t.Context(), aloft.InvokeInput{Stage: staging, Function: "work", RequestID: id, Payload: []byte(`{"n": 1}`), Async: true})
	if err != nil || got.RequestID != id {
		w.t.Fatal(got, err)
	}
}

func (w *world) called() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.calls, ", ")
}

func (w *world) dead() []aloft.DeadLetter {
	w.t.Helper()
	letters, err := w.DeadLetters(w.t.Context(), staging, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return letters
}

// settled checks that nothing waits.
func (w *world) settled() {
	w.t.Helper()
	pending, err := w.Pending(w.t.Context(), staging)
	if err != nil || len(pending) > 0 {
		w.t.Error("pending:", pending, err)
	}
}

func fails(aloft.InvokeInput, int) (aloft.Invoked, error) {
	return aloft.Invoked{FunctionError: "ValueError", Payload: []byte(`{"errorMessage": "no key", "errorType": "ValueError"}`)}, nil
}

// later lets time pass, and what happens in it happen.
func later(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
