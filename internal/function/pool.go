// Package function keeps the instances of functions running: it starts them on an engine, notices when they are ready,
// starts them again when they end, and ends them without losing a request. A Pool is one function at one release; a Gate
// stands before the pools of a stage, one after another, and leads requests to instances that are ready.
//
// It knows no HTTP but the health check, no artifacts and no routes.
package function

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/upstream"
)

// What a function that says nothing else gets.
const (
	DefaultBootTimeout  = 60 * time.Second
	DefaultDrainTimeout = 30 * time.Second
)

const (
	closeTime   = time.Second      // for closing frames, after the drain time is over
	graceTime   = 10 * time.Second // between SIGTERM and SIGKILL
	abandonTime = 10 * time.Second // for the kernel to end what was killed; a process stuck in it is given up
)

// Options say what a Pool runs.
type Options struct {
	Engine   engine.Engine
	Ports    *Ports // shared by all pools of the machine
	Stage    aloft.StageRef
	Release  int
	Function aloft.Function // web or worker
	// Prepare returns what to start an instance with and what to call after its end. Port is 0 for a worker. ID, Stdout
	// and Stderr are set by the pool.
	Prepare    func(id string, port int) (spec engine.Spec, cleanup func(), err error)
	Log        func(line aloft.LogLine) // a line of output, or of the pool about an instance
	Own        []string                 // directories that are this release's alone: a socket below them collides with no other's
	Extensions []string                 // of a handler: the names of those that its command starts
}

// Pool is the instances of one function at one release. It is used once: started, then stopped.
type Pool struct {
	Options
	ctx  context.Context // ends when everything must end at once
	kill context.CancelFunc
	quit chan struct{} // closed when everything must end in peace
	once sync.Once
	wg   sync.WaitGroup

	gate  atomic.Pointer[Gate]
	scale *scaler // nil if the number of instances never changes

	mu    sync.Mutex
	slots []*slot
	over  bool // nothing is started any more
}

// NewPool returns a Pool of which nothing runs yet.
func NewPool(options Options) *Pool {
	p := &Pool{Options: options, quit: make(chan struct{})}
	p.ctx, p.kill = context.WithCancel(context.Background())
	for range max(1, options.Function.Instances) {
		p.slots = append(p.slots, newSlot(p))
	}
	p.scale = newScaler(p)
	return p
}

// progress is what a slot tells of its first instance.
type progress struct {
	started bool
	err     error
}

// Start starts the instances and returns once all are ready and stay so for a moment; from then on they are kept running.
// It calls started when all processes exist. If one fails, or ctx ends, nothing is left of any when it returns the *aloft.Error that says why.
func (p *Pool) Start(ctx context.Context, started func()) error {
	release := context.AfterFunc(ctx, p.kill)
	events := p.run(false)
	var failure error
	for begun, ended := 0, 0; ended < len(p.slots); {
		switch e := <-events; {
		case e.started:
			if begun++; begun == len(p.slots) {
				started()
			}
		default:
			ended++
			if e.err != nil && failure == nil {
				failure = e.err
				p.kill() // the others would be of no use
			}
		}
	}
	if !release() {
		failure = canceled(ctx) // whatever it looked like to the instances
	}
	if failure != nil {
		p.Kill()
		return failure
	}
	p.elastic()
	return nil
}

// Supervise starts the instances and keeps them running, those too that fail at first. It returns when each was ready or
// failed once.
func (p *Pool) Supervise() {
	events := p.run(true)
	for ended := 0; ended < len(p.slots); {
		if e := <-events; !e.started {
			ended++
		}
	}
	p.elastic()
}

// elastic makes the number of instances follow the requests from now on.
func (p *Pool) elastic() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.scale != nil && !p.over {
		p.wg.Go(p.scale.run)
	}
}

// press asks for more instances. It never blocks.
func (p *Pool) press() {
	if p.scale != nil {
		p.scale.press()
	}
}

func (p *Pool) run(keep bool) <-chan progress {
	events := make(chan progress, 2*len(p.slots))
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.slots {
		if p.over {
			events <- progress{err: aloft.Errorf(aloft.Canceled, "%s was stopped before it started", p.Function.Name)}
			continue
		}
		p.begin(s, keep, events)
	}
	return events
}

// begin runs a slot in the background. The caller holds p.mu.
func (p *Pool) begin(s *slot, keep bool, events chan<- progress) {
	p.wg.Go(func() {
		s.run(keep, events)
		p.mu.Lock()
		defer p.mu.Unlock()
		if s.retired { // otherwise the whole pool ends, and its last state stays to be seen
			p.slots = slices.DeleteFunc(p.slots, func(o *slot) bool { return o == s })
			p.publish()
		}
	})
}

// Stop lets the instances finish their requests for the function's drain time, then ends them, politely first. It returns
// when all are gone. When ctx ends first, they are killed.
func (p *Pool) Stop(ctx context.Context) {
	p.finish()
	p.once.Do(p.end)
	release := context.AfterFunc(ctx, p.kill)
	p.wg.Wait()
	release()
	p.kill()
}

// end makes everything end in peace.
func (p *Pool) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.quit)
	for _, s := range p.slots {
		if !s.retired {
			close(s.quit)
		}
	}
}

// Kill ends the instances at once and returns when all are gone.
func (p *Pool) Kill() {
	p.finish()
	p.kill()
	p.wg.Wait()
}

// finish makes sure that nothing is started any more.
func (p *Pool) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
}

// Cut ends the requests in flight now. The instances take no more; it is for the moment before Stop.
func (p *Pool) Cut() {
	p.mu.Lock()
	var all []*upstream.Upstream
	for _, s := range p.slots {
		if s.inst != nil {
			all = append(all, s.inst.upstreams()...)
		}
	}
	p.mu.Unlock()
	for _, u := range all {
		u.Drain()
		u.Cut()
	}
}

// Serves reports whether a request would be answered now: by an instance that is ready, or sleeps, or would be started.
func (p *Pool) Serves() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.slots) == 0 || slices.ContainsFunc(p.slots, func(s *slot) bool { return s.state == aloft.Ready || s.state == aloft.Frozen })
}
