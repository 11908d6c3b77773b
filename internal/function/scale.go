package function

import (
	"slices"
	"syscall"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/upstream"
)

const (
	defaultTarget = 16               // requests at once per instance of a function that may scale but says no number
	startsAtOnce  = 4                // instances of a function that start at a time, so that they do not starve each other
	spareTime     = 30 * time.Second // after which an instance beyond the least number ends that nobody needed
	freezeTime    = 30 * time.Second // after which an instance that nobody needs is frozen, if the function may idle
	longestLook   = 5 * time.Second  // between looks at what is idle
)

// least and most are how many instances run.
func (p *Pool) least() int { return max(1, p.Function.Instances) }

func (p *Pool) most() int { return max(p.least(), p.Function.Max) }

// elastic reports whether the number of instances changes.
func (p *Pool) elastic() bool {
	return p.Function.Kind == aloft.Web && (p.most() > p.least() || p.Function.Idle > 0)
}

// target is how many requests at once per instance are a reason for more instances, 0 for none.
func (p *Pool) target() int {
	switch {
	case p.most() == p.least():
		return 0
	case p.Function.Target > 0:
		return p.Function.Target
	case p.Function.Concurrency > 0:
		return p.Function.Concurrency
	}
	return defaultTarget
}

// want asks for more instances. It never blocks.
func (p *Pool) want() {
	select {
	case p.more <- struct{}{}:
	default:
	}
}

// scale starts instances when there is much to do and ends them when there is not, until the pool ends.
func (p *Pool) scale() {
	look := longestLook
	for _, time := range []time.Duration{p.spareTime(), p.freezeTime(), time.Duration(p.Function.Idle)} {
		if time > 0 {
			look = min(look, time/4)
		}
	}
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		select {
		case <-p.more:
			p.grow()
		case <-tick.C:
			p.shrink()
		case <-p.quit:
			return
		case <-p.ctx.Done():
			return
		}
	}
}

func (p *Pool) spareTime() time.Duration {
	if idle := time.Duration(p.Function.Idle); idle > 0 {
		return min(spareTime, idle)
	}
	return spareTime
}

// freezeTime is well below the idle time, 0 without one.
func (p *Pool) freezeTime() time.Duration {
	return min(freezeTime, time.Duration(p.Function.Idle)/4)
}

// grow starts as many instances as the requests in flight and those that wait need, some at a time. While one crashes it
// starts none: more of them would crash too.
func (p *Pool) grow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	load, live, starting := 0, 0, 0
	for _, s := range p.slots {
		switch s.state {
		case aloft.Crashed:
			return
		case aloft.Starting:
			starting++
			live++
		case aloft.Ready:
			live++
			load += s.inst.inFlight()
		default: // on its way out
		}
	}
	if p.over || p.gate == nil {
		return
	}
	load += p.gate.Waiting()
	need := min(1, load)
	if target := p.target(); target > 0 {
		need = (load + target - 1) / target
	}
	for range min(min(need, p.most())-live, startsAtOnce-starting) {
		p.add()
	}
}

// add starts one more slot. The caller holds p.mu.
func (p *Pool) add() {
	s := newSlot(p)
	p.slots = append(p.slots, s)
	p.wg.Go(func() {
		s.run(true, make(chan progress, 2)) // nobody asks
		p.drop(s)
	})
	p.publish()
}

// drop forgets a slot that was ended alone.
func (p *Pool) drop(s *slot) {
	if !s.ended() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, other := range p.slots {
		if other == s {
			p.slots = append(p.slots[:i:i], p.slots[i+1:]...)
			break
		}
	}
	p.publish()
}

// shrink ends or freezes what nobody needs.
func (p *Pool) shrink() {
	p.mu.Lock()
	now, idle := time.Now(), time.Duration(p.Function.Idle)
	var ready []*slot
	everyone := len(p.slots) > 0 && idle > 0 && p.gate != nil && p.gate.Waiting() == 0
	for _, s := range p.slots {
		if s.state != aloft.Ready || s.inst.up == nil {
			everyone = false
			continue
		}
		s.look(now)
		ready = append(ready, s)
		everyone = everyone && now.Sub(s.quietSince) >= idle
	}
	spare := len(ready) - p.least()
	var tired []*instance
	for _, s := range slices.Backward(ready) {
		quiet := now.Sub(s.quietSince)
		switch {
		case everyone, spare > 0 && quiet >= p.spareTime():
			close(s.quit)
			s.state = aloft.Draining
			spare--
		case idle > 0 && quiet >= p.freezeTime():
			tired = append(tired, s.inst)
		}
	}
	if everyone {
		p.say(nil, "no request for %s: no instance is needed until the next", idle)
	}
	p.publish()
	p.mu.Unlock()
	for _, inst := range tired {
		inst.sleep()
	}
}

// look notes whether anything happened since the last look. The caller holds pool.mu.
func (s *slot) look(now time.Time) {
	begun := int64(0)
	for _, u := range s.inst.upstreams() {
		begun += u.Begun()
	}
	if begun != s.begun || s.inst.inFlight() > 0 || s.quietSince.IsZero() {
		s.begun, s.quietSince = begun, now
	}
}

// sleep freezes the instance, if its engine can.
func (i *instance) sleep() {
	freezer, ok := i.box.(engine.Freezer)
	if !ok {
		return
	}
	i.pool.mu.Lock()
	up := i.up
	i.pool.mu.Unlock()
	if !up.Asleep() {
		up.Sleep(freezer.Freeze, freezer.Thaw)
	}
}

// wake thaws the instance, so that it can hear signals.
func (i *instance) wake() {
	for _, u := range i.upstreams() {
		_ = u.Wake()
	}
}

// limit makes requests wait beyond the function's bound, and ends an instance that hangs.
func (i *instance) limit(u *upstream.Upstream) {
	p := i.pool
	if n := p.Function.Concurrency; n > 0 {
		u.Limit(n, func() {
			if g := p.behind.Load(); g != nil {
				g.freed()
			}
		})
	}
	u.OnHang(func() {
		p.say(i, "answered nothing within %s and is ended", p.Function.Timeout)
		_ = i.box.Signal(syscall.SIGKILL) // the slot sees it and starts another
	})
}

// measure fills in what an instance uses.
func measure(box engine.Sandbox, d *aloft.Instance) {
	if meter, ok := box.(engine.Meter); ok {
		if u, err := meter.Usage(); err == nil {
			d.Memory, d.CPU = u.Memory, aloft.Duration(u.CPU.Round(time.Millisecond))
		}
	}
}
