package function

import (
	"net"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
)

// freeze makes a slot without requests use no processor until thaw. Nothing happens if a request came meanwhile.
func (s *slot) freeze() {
	p, inst := s.pool, s.asleep()
	if inst == nil {
		return
	}
	if err := inst.freeze(); err != nil {
		p.say(inst, "cannot be frozen: %v", err)
		p.mu.Lock()
		inst.warm = true
		p.mu.Unlock()
		s.thaw()
	}
}

// asleep takes the slot from the gate if no request is in flight, and returns its instance.
func (s *slot) asleep() *instance {
	p := s.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.state != aloft.Ready || s.retired || !s.inst.freezable() {
		return nil
	}
	slept := s.inst.up.Sleep()
	if slept {
		s.state = aloft.Frozen
	}
	p.publish() // even if it did not: a request that was refused for a moment waits for it
	if !slept {
		return nil
	}
	return s.inst
}

// thaw makes a frozen slot take requests again.
func (s *slot) thaw() {
	p := s.pool
	p.mu.Lock()
	inst := s.inst
	p.mu.Unlock()
	inst.thaw(false)
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.state != aloft.Frozen || s.inst != inst || s.retired {
		return // it ended meanwhile
	}
	s.state, s.usedAt = aloft.Ready, time.Now()
	inst.up.Wake()
	p.publish()
}

// freezable reports whether the engine can freeze the instance, and it has found its port: who may still open another is
// looked at from time to time. The caller holds pool.mu.
func (i *instance) freezable() bool {
	if _, ok := i.box.(engine.Freezer); !ok || i.up == nil || i.warm || i.inFlight() > 0 {
		return false
	}
	tcp, ok := i.addr.(*net.TCPAddr)
	return i.session != nil || ok && tcp.Port == i.port || time.Since(i.startedAt) > 2*i.pool.Function.BootTimeout.Or(DefaultBootTimeout)
}

func (i *instance) freeze() error {
	i.coldMu.Lock()
	defer i.coldMu.Unlock()
	if f, ok := i.box.(engine.Freezer); ok && !i.ending {
		return f.Freeze()
	}
	return nil
}

// thaw is harmless for an instance that is not frozen. With ending it stays thawed.
func (i *instance) thaw(ending bool) {
	i.coldMu.Lock()
	defer i.coldMu.Unlock()
	i.ending = i.ending || ending
	if f, ok := i.box.(engine.Freezer); ok {
		if err := f.Thaw(); err != nil {
			i.pool.say(i, "cannot be thawed: %v", err)
		}
	}
}
