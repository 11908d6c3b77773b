package function

import (
	"cmp"
	"net"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/upstream"
)

// Instances tells what runs. If nothing does until the next request, one of state idle says so.
func (p *Pool) Instances() []aloft.Instance {
	p.mu.Lock()
	all := make([]aloft.Instance, 0, len(p.slots))
	boxes := make([]engine.Sandbox, 0, len(p.slots))
	for _, s := range p.slots {
		all = append(all, s.describe())
		boxes = append(boxes, s.box())
	}
	p.mu.Unlock()
	for i, box := range boxes { // takes a while
		if meter, ok := box.(engine.Meter); ok {
			if usage, err := meter.Usage(); err == nil {
				all[i].Memory, all[i].CPU = usage.Memory, aloft.Duration(usage.CPU)
			}
		}
	}
	if len(all) == 0 {
		all = append(all, aloft.Instance{Function: p.Function.Name, Release: p.Release, State: aloft.Idle})
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

// Insists returns the socket of an instance that no other could have beside it, nil if there is none: a port other than the
// assigned one where requests go or that looks chosen, or a Unix socket outside the release's own directories where they go.
func (p *Pool) Insists() net.Addr {
	p.mu.Lock()
	var ready []*instance
	for _, s := range p.slots {
		if s.inst != nil && (s.state == aloft.Ready || s.state == aloft.Frozen) {
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
	p.gate.Store(g)
	p.publish()
}

// ended lets a request pass that waits for the room of one that ended.
func (p *Pool) ended() {
	if g := p.gate.Load(); g != nil {
		g.wake()
	}
}

// publish tells the gate what is ready. The caller holds p.mu.
func (p *Pool) publish() {
	g := p.gate.Load()
	if g == nil {
		return
	}
	v := view{reason: "starting", queue: cmp.Or(p.Function.Queue, MaxWaiters)}
	hope := len(p.slots) == 0
	for _, s := range p.slots {
		switch {
		case s.retired: // another one is started if need be
			hope = true
		case s.state == aloft.Starting || s.state == aloft.Frozen:
			hope = true
		case s.state == aloft.Ready && s.inst != nil && s.inst.up != nil:
			v.ready = append(v.ready, s.inst.up)
		case s.state == aloft.Crashed:
			v.reason = "crashed: " + s.reason
			if v.retryAt.IsZero() || s.retryAt.Before(v.retryAt) {
				v.retryAt = s.retryAt
			}
		}
	}
	if hope { // whatever became of the others
		v.reason, v.retryAt = "starting", time.Time{}
	}
	if p.scale != nil && p.scale.canGrow() {
		v.target = p.scale.target
	}
	g.update(p, v)
}

// view is what a pool shows of itself to a gate.
type view struct {
	ready   []*upstream.Upstream
	reason  string    // why none is ready
	retryAt time.Time // when the next is started; zero if one is starting
	queue   int       // requests that may wait
	target  int       // see choice
}
