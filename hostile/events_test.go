package hostile_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aloftest"
	"github.com/aloft-run/aloft/internal/api"
	"github.com/aloft-run/aloft/internal/client"
)

// ackFirst is a seeded bug: an event is accepted some time before it is on the disk.
const ackFirst = "ack-before-disk"

type lateInvoker struct{ aloft.Invoker }

func ackBeforeDisk(under aloft.Invoker) aloft.Invoker { return lateInvoker{under} }

// Invoke implements aloft.Invoker.
func (l lateInvoker) Invoke(ctx context.Context, input aloft.InvokeInput) (aloft.Invoked, error) {
	if !input.Async {
		return l.Invoker.Invoke(ctx, input)
	}
	time.AfterFunc(300*time.Millisecond, func() { _, _ = l.Invoker.Invoke(context.WithoutCancel(ctx), input) })
	return aloft.Invoked{RequestID: input.RequestID}, nil
}

// eventsManifest declares the function: its retries come soon, so that the test does.
const eventsManifest = `start: ./server web
functions:
  work: {command: ./server events, runtime: provided.al2023, max: 4, retry-delay: 100ms}
`

// eventRun sends events while things are killed, and knows which were accepted.
type eventRun struct {
	*shop

	t        *testing.T
	ref      aloft.StageRef
	total    int64
	next     atomic.Int64
	kills    atomic.Int64 // of instances
	restarts int          // of the server
	limit    int          // of restarts; 0 means enough

	mu       sync.Mutex
	accepted map[string]string // id to poison
	refused  int
}

// TestEvents sends events that nobody waits for while instances and the server are killed: each accepted one is worked on,
// few twice, and poison becomes dead letters after three attempts.
func TestEvents(t *testing.T) {
	t.Parallel()
	total := scaled[int64](100_000, 1500)
	e := newEventRun(t, total, "")
	began := time.Now()
	e.run(scaled(4*time.Second, 700*time.Millisecond))
	e.settle()
	took := time.Since(began)
	lost, twice := e.judge()
	t.Logf("%d events accepted (%d calls cut off) in %s, %d kills of instances, %d of the server: %d lost, %d worked on again (%.2f %%)",
		len(e.accepted), e.refused, took.Round(time.Second), e.kills.Load(), e.restarts, len(lost), twice, 100*float64(twice)/float64(total))
	report(t, "lost", lost)
	if e.restarts == 0 || e.kills.Load() == 0 {
		t.Error("nothing was killed: the test shows nothing")
	}
	if full() && float64(twice) > 0.01*float64(total) {
		t.Errorf("%d of %d events were worked on again, more than 1 %%", twice, total)
	}
	e.judgePoison()
}

// TestEventsSeeAckBeforeDisk is the control: a server that accepts events before they are on the disk is caught.
func TestEventsSeeAckBeforeDisk(t *testing.T) {
	t.Parallel()
	e := newEventRun(t, 1<<40, ackFirst)
	e.limit = 3
	e.run(500 * time.Millisecond)
	e.settle()
	if lost, _ := e.judge(); len(lost) == 0 {
		t.Error("the seeded bug was not caught")
	}
}

func newEventRun(t *testing.T, total int64, variant string) *eventRun {
	t.Helper()
	e := &eventRun{
		shop: newShop(t, eventsManifest), t: t, ref: aloft.StageRef{App: "shop", Stage: aloft.Production}, total: total, accepted: map[string]string{},
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	e.write(t, "server", fmt.Sprintf("#!/bin/sh\nexec %q hostile-app \"$1\"\n", self))
	if variant != "" {
		e.Variant = variant
	}
	e.Serve(t)
	e.Must(t, nil, e.dir, "up", "production")
	return e
}

func (e *eventRun) client() *client.Client { return client.New(filepath.Join(e.Home, api.SocketName)) }

// run sends all events, killing the server again and again with a pause between, and instances all the time, until they are
// worked on or enough was killed.
func (e *eventRun) run(pause time.Duration) {
	ctx, cancel := context.WithCancel(e.t.Context())
	defer cancel()
	var senders, killers sync.WaitGroup
	const atOnce = 16
	for range atOnce {
		senders.Go(func() { e.send(ctx) })
	}
	killers.Go(func() { e.killInstances(ctx) })
	random := rand.New(rand.NewPCG(25, 25))
	limit := cmp.Or(e.limit, scaled(50, 4))
	for (e.next.Load() < e.total || e.waiting() > 0) && e.restarts < limit {
		before := e.count()
		for e.count() == before && e.next.Load() < e.total { // a kill while nothing happens shows nothing
			time.Sleep(10 * time.Millisecond)
		}
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-e.t.Context().Done():
		}
		if random.IntN(8) == 0 && e.limit == 0 { // one goes in peace
			e.Stop()
		} else {
			e.Kill()
		}
		e.restarts++
		e.Serve(e.t)
	}
	if e.limit > 0 {
		e.next.Store(e.total)
	}
	senders.Wait()
	cancel()
	killers.Wait()
}

// count is how many events were accepted.
func (e *eventRun) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.accepted)
}

// send sends events until there are enough. One whose call is cut off may have been accepted: it is sent again as another.
func (e *eventRun) send(ctx context.Context) {
	c := e.client()
	defer c.Close()
	for ctx.Err() == nil {
		n := e.next.Add(1)
		if n > e.total {
			return
		}
		ev := event{}
		switch {
		case n%25_000 == 700:
			ev.Poison = "exit"
		case n%500 == 100:
			ev.Poison = "fail"
		}
		for try := 0; ctx.Err() == nil; try++ {
			ev.ID = fmt.Sprintf("event-%d-%d", n, try)
			payload, err := json.Marshal(ev)
			if err == nil {
				_, err = c.Invoke(ctx, aloft.InvokeInput{Stage: e.ref, Function: "work", RequestID: ev.ID, Payload: payload, Async: true})
			}
			e.mu.Lock()
			if err == nil {
				e.accepted[ev.ID] = ev.Poison
			} else {
				e.refused++
			}
			e.mu.Unlock()
			if err == nil {
				break
			}
			if code := aloft.ErrorCode(err); code != aloft.Unavailable && code != aloft.Internal && ctx.Err() == nil {
				e.t.Errorf("send event %s: %v", ev.ID, err)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// killInstances kills an instance of the function now and then.
func (e *eventRun) killInstances(ctx context.Context) {
	c := e.client()
	defer c.Close()
	for ctx.Err() == nil {
		select {
		case <-time.After(100*time.Millisecond + rand.N(400*time.Millisecond)):
		case <-ctx.Done():
			return
		}
		all, err := c.Overview(ctx, "shop")
		if err != nil || len(all) == 0 {
			continue // the server is away
		}
		work := slices.DeleteFunc(all[0].Instances, func(i aloft.Instance) bool { return i.Function != "work" || i.PID <= 0 || i.State != aloft.Ready })
		if len(work) > 0 && syscall.Kill(work[rand.IntN(len(work))].PID, syscall.SIGKILL) == nil {
			e.kills.Add(1)
		}
	}
}

// waiting is how many events wait; as many as one can know while the server is away: one.
func (e *eventRun) waiting() int {
	c := e.client()
	defer c.Close()
	pending, err := c.Pending(e.t.Context(), e.ref)
	if err != nil {
		return 1
	}
	return pending["work"]
}

// settle waits until no event waits.
func (e *eventRun) settle() {
	aloftest.Eventually(e.t, 10*time.Minute, func() error {
		time.Sleep(50 * time.Millisecond) // it is a long wait
		if n := e.waiting(); n > 0 {
			return fmt.Errorf("%d events wait", n)
		}
		return nil
	})
}

// done counts how often each event was worked on.
func (e *eventRun) done() map[string]int {
	files, err := filepath.Glob(filepath.Join(e.Home, "data", "*", "*", "done"))
	if err != nil || len(files) != 1 {
		e.t.Fatalf("what was done is in %q: %v", files, err)
	}
	counts := map[string]int{}
	for line := range strings.Lines(readFile(files[0])) {
		counts[strings.TrimSpace(line[strings.LastIndex(line, " "):])]++
	}
	return counts
}

// judge returns the accepted events that nobody worked on, and how many were worked on more often than needed.
func (e *eventRun) judge() (lost []string, twice int) {
	counts := e.done()
	for id, poison := range e.accepted {
		switch {
		case counts[id] == 0:
			lost = append(lost, id)
		case poison == "" && counts[id] > 1:
			twice += counts[id] - 1
		}
	}
	return lost, twice
}

// judgePoison: each poisoned event is a dead letter after three attempts, and nothing else is one.
func (e *eventRun) judgePoison() {
	c := e.client()
	defer c.Close()
	letters, err := c.DeadLetters(e.t.Context(), e.ref, 0)
	if err != nil {
		e.t.Fatal(err)
	}
	dead := map[string]bool{}
	for _, l := range letters {
		if poison, found := e.accepted[l.ID]; found && poison == "" {
			e.t.Errorf("%s is a dead letter: %s", l.ID, l.Error)
		}
		if l.Attempts != 3 {
			err = errors.Join(err, fmt.Errorf("%s is a dead letter after %d attempts", l.ID, l.Attempts))
		}
		dead[l.ID] = true
	}
	poisoned := 0
	for id, poison := range e.accepted {
		if poison != "" {
			poisoned++
			if !dead[id] {
				err = errors.Join(err, fmt.Errorf("the poisoned %s is no dead letter", id))
			}
		}
	}
	e.t.Logf("%d poisoned events are dead letters", poisoned)
	if err != nil || poisoned == 0 {
		e.t.Error(poisoned, err)
	}
}
