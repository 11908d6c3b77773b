// Package function keeps the instances of functions running: it starts them on an engine, notices when they are ready,
// starts them again when they end, and ends them without losing a request. A Pool is one function at one release; a Gate
// stands before the pools of a stage, one after another, and leads requests to instances that are ready.
//
// It knows no HTTP but the health check, no artifacts and no routes.
package function

import (
	"context"
	"net"
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
	Prepare func(id string, port int) (spec engine.Spec, cleanup func(), err error)
	Log     func(line aloft.LogLine) // a line of output, or of the pool about an instance
	Own     []string                 // directories that are this release's alone: a socket below them collides with no other's
}

// Pool is the instances of one function at one release. It is used once: started, then stopped.
type Pool struct {
	Options
	ctx  context.Context // ends when everything must end at once
	kill context.CancelFunc
	quit chan struct{} // closed when everything must end in peace
	once sync.Once
	wg   sync.WaitGroup

	more chan struct{} // holds a token when more instances are wanted

	mu     sync.Mutex
	slots  []*slot
	gate   *Gate
	behind atomic.Pointer[Gate] // the same as gate, for those who do not lock
	over   bool                 // nothing is started any more
}

// NewPool returns a Pool of which nothing runs yet.
func NewPool(options Options) *Pool {
	p := &Pool{Options: options, quit: make(chan struct{}), more: make(chan struct{}, 1)}
	p.ctx, p.kill = context.WithCancel(context.Background())
	for range p.least() {
		p.slots = append(p.slots, newSlot(p))
	}
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
	}
	return failure
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
		p.wg.Go(func() {
			s.run(keep, events)
			p.drop(s)
		})
	}
	if p.elastic() && !p.over {
		p.wg.Go(p.scale)
	}
	return events
}

// Stop lets the instances finish their requests for the function's drain time, then ends them, politely first. It returns
// when all are gone. When ctx ends first, they are killed.
func (p *Pool) Stop(ctx context.Context) {
	p.finish()
	p.once.Do(func() { close(p.quit) })
	release := context.AfterFunc(ctx, p.kill)
	p.wg.Wait()
	release()
	p.kill()
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

// Instances tells what runs.
func (p *Pool) Instances() []aloft.Instance {
	p.mu.Lock()
	all, boxes := make([]aloft.Instance, 0, len(p.slots)), make([]engine.Sandbox, 0, len(p.slots))
	for _, s := range p.slots {
		d := s.describe()
		all = append(all, d)
		if boxes = append(boxes, nil); d.PID != 0 {
			boxes[len(boxes)-1] = s.inst.box
		}
	}
	if len(all) == 0 && !p.over {
		all = append(all, aloft.Instance{Function: p.Function.Name, Release: p.Release, State: aloft.Idle})
	}
	p.mu.Unlock()
	for i, box := range boxes { // looking takes a while
		if box != nil {
			measure(box, &all[i])
		}
	}
	return all
}

// InFlight is the number of requests begun and not ended.
func (p *Pool) InFlight() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, s := range p.slots {
		if s.inst != nil {
			n += s.inst.inFlight()
		}
	}
	return n
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

// Insists returns the socket of an instance that no other could have beside it, nil if there is none: a port other than the
// assigned one where requests go or that looks chosen, or a Unix socket outside the release's own directories where they go.
func (p *Pool) Insists() net.Addr {
	p.mu.Lock()
	var ready []*instance
	for _, s := range p.slots {
		if s.inst != nil && s.state == aloft.Ready {
			ready = append(ready, s.inst)
		}
	}
	p.mu.Unlock()
	for _, inst := range ready {
		if addr := inst.insists(); addr != nil {
			return addr
		}
	}
	return nil
}

// attach makes the pool tell g of every change from now on.
func (p *Pool) attach(g *Gate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gate = g
	p.behind.Store(g)
	p.publish()
}

// publish tells the gate what is ready. The caller holds p.mu.
func (p *Pool) publish() {
	if p.gate == nil {
		return
	}
	v := view{reason: "starting"}
	starting := false
	for _, s := range p.slots {
		switch {
		case s.state == aloft.Starting:
			starting = true
		case s.state == aloft.Ready && s.inst != nil && s.inst.up != nil:
			v.ready = append(v.ready, s.inst.up)
		case s.state == aloft.Crashed:
			v.reason = "crashed: " + s.reason
			if v.retryAt.IsZero() || s.retryAt.Before(v.retryAt) {
				v.retryAt = s.retryAt
			}
		}
	}
	if starting { // there is hope, whatever became of the others
		v.reason, v.retryAt = "starting", time.Time{}
	}
	p.gate.update(p, v)
}

// view is what a pool shows of itself to a gate.
type view struct {
	ready   []*upstream.Upstream
	reason  string    // why none is ready
	retryAt time.Time // when the next is started; zero if one is starting
}
