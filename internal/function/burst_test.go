package function_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine/enginetest"
	"github.com/aloft-run/aloft/internal/engine/process"
	"github.com/aloft-run/aloft/internal/function"
	"github.com/aloft-run/aloft/internal/porttest"
)

// server starts real servers behind a gate.
func server(t *testing.T, f aloft.Function) (*function.Pool, *function.Gate) {
	t.Helper()
	options := web(process.New(""), enginetest.Child("listen", "tcp4:$PORT")...)
	f.Name, f.Kind = "web", aloft.Web
	options.Function = f
	return start(t, options)
}

func TestABurstLosesNoRequest(t *testing.T) {
	const most = 30
	p, g := server(t, aloft.Function{Max: most, Concurrency: 1})
	var served atomic.Int64
	var wg sync.WaitGroup
	burst, stop := context.WithCancel(t.Context())
	defer stop()
	for range 2 * most {
		wg.Go(func() {
			for burst.Err() == nil {
				if got, err := get(t.Context(), g, "/slow?20ms"); err != nil || got != "slow" {
					t.Errorf("%q, %v", got, err)
					return
				}
				served.Add(1)
			}
		})
	}
	eventually(t, "all instances run", func() bool { return count(p, aloft.Ready) == most })
	stop()
	wg.Wait()
	pids := map[int]bool{}
	for _, i := range p.Instances() {
		pids[i.PID] = true
	}
	if served.Load() == 0 || len(pids) != most {
		t.Errorf("%d requests by %d processes", served.Load(), len(pids))
	}
}

func TestARealServerFreezesEndsAndWakes(t *testing.T) {
	p, g := server(t, aloft.Function{Idle: aloft.Duration(600 * time.Millisecond)})
	before, err := get(t.Context(), g, "/pid")
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" { // elsewhere nothing is frozen
		eventually(t, "it is frozen", func() bool { return count(p, aloft.Frozen) == 1 })
		if again, err := get(t.Context(), g, "/pid"); err != nil || again != before {
			t.Errorf("pid %s, then %s, %v", before, again, err)
		}
	}
	eventually(t, "it ends", func() bool { return count(p, aloft.Idle) == 1 })
	after, err := get(t.Context(), g, "/pid")
	if err != nil || after == before {
		t.Errorf("pid %s, then %s, %v", before, after, err)
	}
}

func TestStatusTellsWhatItUses(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells what a process uses; run it there")
	}
	p, _ := server(t, aloft.Function{})
	if i := p.Instances()[0]; i.Memory < 100<<10 || i.Memory > 1<<30 {
		t.Errorf("it uses %d bytes", i.Memory)
	}
}

func TestAServerThatInsistsOnAPortIsAlone(t *testing.T) {
	options := web(process.New(""), enginetest.Child("listen", "tcp4:"+porttest.Free(t))...)
	options.Function.Max, options.Function.Target = 5, 1
	var mu sync.Mutex
	var said []string
	options.Log = func(line aloft.LogLine) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, line.Text)
	}
	p, g := start(t, options)
	for range 5 {
		acquire(t, g)
	}
	eventually(t, "it is told", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return strings.Contains(strings.Join(said, "\n"), "insists on a port")
	})
	if all := p.Instances(); len(all) != 1 {
		t.Errorf("%d instances", len(all))
	}
}

// Who gives up in the moment it is its turn passes the turn on, and no place is lost by that.
func TestGivingUpLosesNoPlace(t *testing.T) {
	options := web(&fakeEngine{make: func(int) (*fakeBox, error) { return &fakeBox{}, nil }})
	options.Function.Concurrency, options.Function.Instances = 2, 2
	p, g := start(t, options)
	var wg sync.WaitGroup
	for n := range 50 {
		wg.Go(func() {
			for i := range 200 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n*i%97)*time.Microsecond)
				if u, err := g.Acquire(ctx); err == nil {
					runtime.Gosched()
					u.End()
				}
				cancel()
			}
		})
	}
	wg.Wait()
	if n := p.InFlight(); n != 0 {
		t.Errorf("%d requests in flight of none", n)
	}
	for range 4 {
		acquire(t, g)
	}
}
