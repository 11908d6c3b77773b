package function

import (
	"fmt"
	"syscall"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
)

// slot keeps one instance running: one after another.
type slot struct {
	pool *Pool
	quit chan struct{} // closed when it must end in peace

	// guarded by pool.mu
	inst     *instance // the present one; the last one while crashed
	state    aloft.InstanceState
	reason   string // crashed: how it ended
	retryAt  time.Time
	restarts int
	retired  bool      // not needed any more: ends though the pool goes on
	usedAt   time.Time // ready: when a request was last seen
}

func newSlot(p *Pool) *slot { return &slot{pool: p, quit: make(chan struct{}), state: aloft.Starting} }

// run is the life of the slot. Without keep a first instance that fails is the end of it.
func (s *slot) run(keep bool, events chan<- progress) {
	settle := settleTime
	if keep {
		settle = 0 // nothing is asked to make way for it
	}
	readyAt, err := s.once(settle, func(started bool) { events <- progress{started: started} })
	if readyAt.IsZero() {
		events <- progress{err: err}
		if !keep {
			return
		}
	}
	var wait backoff
	for !s.stopping() && s.rest(err, wait.next(readyAt)) {
		readyAt, err = s.once(0, func(bool) {})
	}
}

// once runs one instance and returns when it was ready, zero if never, and how it ended.
func (s *slot) once(settle time.Duration, tell func(started bool)) (readyAt time.Time, err error) {
	err = s.live(settle, func(started bool) {
		if !started {
			readyAt = time.Now()
		}
		tell(started)
	})
	return readyAt, err
}

// stopping reports whether the pool comes to its end.
func (s *slot) stopping() bool {
	select {
	case <-s.quit:
		return true
	case <-s.pool.ctx.Done():
		return true
	default:
		return false
	}
}

// rest waits between two instances. It returns false if there shall be no other.
func (s *slot) rest(err error, pause time.Duration) bool {
	p := s.pool
	p.mu.Lock()
	s.state, s.reason, s.retryAt = aloft.Crashed, reasonOf(err), time.Now().Add(pause)
	p.publish()
	inst := s.inst
	p.mu.Unlock()
	p.say(inst, "%s; starts again in %s", reasonOf(err), pause.Round(100*time.Millisecond))
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.quit:
		return false
	case <-p.ctx.Done():
		return false
	}
	s.become(aloft.Starting, func() { s.reason = ""; s.retryAt = time.Time{}; s.restarts++ })
	return true
}

// live runs one instance from its start to its end and says how it ended, nil if that was wanted. It calls tell(true) when
// the process exists, tell(false) when it is ready and was so for the settle time.
func (s *slot) live(settle time.Duration, tell func(started bool)) error {
	inst, addr, err := s.boot(settle, tell)
	if err != nil {
		return err
	}
	p := s.pool
	defer p.Ports.release(inst)
	s.become(aloft.Ready, func() { inst.target(addr); s.usedAt = time.Now() })
	p.press() // others may be wanted still
	tell(false)
	again := newRetarget(inst, p.Function.BootTimeout.Or(DefaultBootTimeout))
	defer again.stop()
	for {
		select {
		case <-again.due():
			if addr := again.look(p.ctx); addr != nil {
				s.retarget(inst, addr)
			}
		case <-inst.box.Done():
			s.become(aloft.Crashed, func() { s.reason = exitText(inst.box.Exit()) })
			inst.cut()
			inst.finish()
			return &exitError{inst.box.Exit()}
		case <-inst.hung:
			err := fmt.Errorf("it did not answer within %s and was killed", p.Function.Timeout)
			s.become(aloft.Crashed, func() { s.reason = err.Error() })
			inst.cut()
			inst.destroy()
			return err
		case <-s.quit:
			s.end(inst)
			return nil
		case <-p.ctx.Done():
			s.become(aloft.Draining, nil)
			inst.cut()
			inst.destroy()
			return nil
		}
	}
}

// boot starts an instance and waits until it is ready. If someone else took the port that was chosen for it, another one is
// tried.
func (s *slot) boot(settle time.Duration, tell func(started bool)) (*instance, netAddr, error) {
	p := s.pool
	for try := 1; ; try++ {
		inst, err := p.launch()
		if err != nil {
			return nil, nil, err
		}
		s.become(aloft.Starting, func() { s.inst = inst })
		if try == 1 {
			tell(true)
		}
		addr, err := inst.awaitReady(p.ctx, s.quit)
		if err == nil && addr != nil && settle > 0 {
			addr, err = inst.settle(p.ctx, addr, settle)
		}
		if err == nil {
			return inst, addr, nil
		}
		inst.destroy()
		lost := inst.lostPort()
		p.Ports.release(inst)
		if !lost || try == maxPortTries {
			return nil, nil, err
		}
		p.say(inst, "port %d was taken by someone else meanwhile; trying another", inst.port)
	}
}

// become changes the state and what goes with it in one step that gates and Instances see.
func (s *slot) become(state aloft.InstanceState, change func()) {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	if state == aloft.Ready && s.retired {
		state = aloft.Draining
	}
	s.state = state
	if change != nil {
		change()
	}
	s.pool.publish()
}

// retarget leads new requests to another socket of the instance.
func (s *slot) retarget(inst *instance, addr netAddr) {
	old := inst.up
	s.become(aloft.Ready, func() {
		inst.former = append(inst.former, old)
		inst.target(addr)
	})
	old.Drain()
	s.pool.say(inst, "now listens on %s", show(addr))
}

// end lets the instance finish its requests, then ends it. A program without a handler dies of SIGTERM at once, so it is
// sent when nothing is in flight any more.
func (s *slot) end(inst *instance) {
	p := s.pool
	s.become(aloft.Draining, nil)
	if inst.up != nil {
		drain := p.Function.DrainTimeout.Or(DefaultDrainTimeout)
		if !inst.idle(p.ctx.Done(), drain) {
			p.say(inst, "%d requests did not end within %s and are cut", inst.inFlight(), drain)
			inst.cut()
			inst.idle(p.ctx.Done(), closeTime)
		}
		inst.cut()
	}
	inst.thaw(true) // or it would not see the signal
	inst.retireSession()
	_ = inst.box.Signal(syscall.SIGTERM)
	grace := time.NewTimer(graceTime)
	defer grace.Stop()
	select {
	case <-inst.box.Done():
	case <-p.ctx.Done():
	case <-grace.C:
		p.say(inst, "did not end within %s of SIGTERM and is killed", graceTime)
	}
	inst.destroy()
	p.say(inst, "stopped")
}

// box is what runs, nil if nothing does. The caller holds pool.mu.
func (s *slot) box() engine.Sandbox {
	if s.inst == nil || s.state == aloft.Crashed {
		return nil
	}
	return s.inst.box
}

// describe returns the slot for Status. The caller holds pool.mu.
func (s *slot) describe() aloft.Instance {
	d := aloft.Instance{
		Function: s.pool.Function.Name, Release: s.pool.Release,
		State: s.state, Reason: s.reason, Restarts: s.restarts,
	}
	if s.state == aloft.Crashed && !s.retryAt.IsZero() {
		d.Reason = fmt.Sprintf("%s; starts again in %s", s.reason, max(0, time.Until(s.retryAt)).Round(time.Second))
	}
	if s.inst == nil {
		return d
	}
	d.ID, d.StartedAt = s.inst.id, s.inst.startedAt
	if s.state != aloft.Crashed {
		d.PID = s.inst.box.PID()
	}
	if s.state == aloft.Ready || s.state == aloft.Frozen || s.state == aloft.Draining {
		d.Listen, d.InFlight = show(s.inst.addr), s.inst.inFlight()
	}
	return d
}
