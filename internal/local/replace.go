package local

import (
	"context"
	"fmt"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/function"
)

const (
	quickDrain = 2 * time.Second        // in which ordinary requests end
	idleLook   = 2 * time.Millisecond   // between looks whether requests are in flight
	endTime    = 15 * time.Second       // for an instance to end after its requests were cut
	heldReason = "it is being replaced" // for requests that wait too long
)

// replace ends what serves before it starts d, because both want the same port or socket. Requests wait meanwhile. If d
// fails, what served is started again.
func (p *Platform) replace(ctx context.Context, s *stage, d *deployment, start *start, commit func(context.Context) error) error {
	old := s.current()
	if err := p.clear(ctx, s, old.web, start.report); err != nil {
		return err
	}
	err := d.start(ctx, start)
	if err == nil {
		err = p.commit(ctx, commit)
	}
	if err == nil {
		p.switchTo(s, d)
		return nil
	}
	d.web.Kill() // frees the port
	p.revive(s, old)
	return err
}

// revive starts again what served and returns when it is ready or has failed once, at once if the platform closes.
func (p *Platform) revive(s *stage, old *deployment) {
	s.mu.Lock()
	old.renew()
	s.mu.Unlock()
	defer context.AfterFunc(p.work, old.web.Kill)()
	s.gate.Use(old.web)
	old.web.Supervise()
}

// clear ends the instances of a pool at a moment when few requests are in flight, and leaves the gate held. If requests do
// not end quickly, as streams do not, it goes on serving until the drain time is over before it cuts them.
func (p *Platform) clear(ctx context.Context, s *stage, pool *function.Pool, report aloft.Reporter) error {
	drain := pool.Function.DrainTimeout.Or(function.DefaultDrainTimeout)
	pause := min(quickDrain, drain/4) // for which requests are held while others may end
	s.gate.Hold(heldReason)
	if !idle(ctx, pool, pause) {
		s.gate.Release()
		left := drain - 2*pause
		report.Report(aloft.Notice{Text: fmt.Sprintf("requests are still open; they are cut in %s", left+pause)})
		idle(ctx, pool, left)
		if ctx.Err() == nil {
			s.gate.Hold(heldReason)
			idle(ctx, pool, pause)
		}
	}
	if ctx.Err() != nil {
		s.gate.Release()
		return canceled(ctx)
	}
	pool.Cut()
	end, cancel := context.WithTimeout(p.life, endTime)
	defer cancel()
	pool.Stop(end)
	return nil
}

// idle waits until no request is in flight, for the given time at most.
func idle(ctx context.Context, pool *function.Pool, atMost time.Duration) bool {
	deadline := time.NewTimer(atMost)
	defer deadline.Stop()
	tick := time.NewTicker(idleLook)
	defer tick.Stop()
	for pool.InFlight() > 0 {
		select {
		case <-tick.C:
		case <-deadline.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
	return true
}
