package function

import (
	"cmp"
	"runtime"
	"time"

	"github.com/aloft-run/aloft"
)

// DefaultTarget is how many requests at once an instance takes before another one is started, if the function may have
// more instances and says nothing of concurrency.
const DefaultTarget = 50

const (
	lingerTime = time.Minute      // for which an instance more than needed is kept
	freezeTime = 30 * time.Second // without a request, before an instance of a function that may be idle is frozen
	slowLook   = 5 * time.Second  // between looks at what is needed, at most
	quickLook  = 10 * time.Millisecond
)

// scaler makes the number of a pool's instances follow its requests: more when they are busy, fewer when they were not for
// a while, none when nobody asks.
type scaler struct {
	pool     *Pool
	demand   chan struct{} // holds a token when more may be needed
	min, max int
	target   int           // requests in flight per instance; 0: their number says nothing
	atOnce   int           // instances that start at a time: more would only slow each other down
	idle     time.Duration // 0: instances never end for want of requests
	cold     time.Duration // 0: instances are not frozen
	look     time.Duration

	// guarded by pool.mu
	usedAt time.Time // when a request was last seen
	most   int       // instances needed at most since
	since  time.Time
	alone  bool // two instances could not run beside each other: they want the same port
}

// newScaler returns nil for a function whose number of instances never changes.
func newScaler(p *Pool) *scaler {
	f := p.Function
	s := &scaler{
		pool: p, demand: make(chan struct{}, 1), min: max(1, f.Instances), idle: f.Idle.Or(0),
		atOnce: min(max(2, runtime.GOMAXPROCS(0)), 8),
	}
	s.max = max(s.min, f.Max)
	if f.Kind == aloft.Worker || s.max == s.min && s.idle == 0 {
		return nil
	}
	s.look = slowLook
	if s.max > s.min {
		s.target = cmp.Or(f.Target, f.Concurrency, DefaultTarget)
		if f.Concurrency > 0 {
			s.target = min(s.target, f.Concurrency)
		}
		if f.Kind == aloft.Handler {
			s.target = 1
		}
	}
	if s.idle > 0 {
		s.cold = min(freezeTime, s.idle/4)
		s.look = max(quickLook, min(s.look, s.cold/4))
	}
	return s
}

func (s *scaler) press() {
	select {
	case s.demand <- struct{}{}:
	default: // it is known
	}
}

// run is the life of the scaler. While nothing runs it does nothing.
func (s *scaler) run() {
	s.pool.mu.Lock()
	s.usedAt, s.since = time.Now(), time.Now()
	s.pool.mu.Unlock()
	tick := time.NewTicker(s.look)
	defer tick.Stop()
	for {
		select {
		case <-s.demand:
			if s.grow() {
				tick.Reset(s.look)
			}
		case <-tick.C:
			if s.shrink() {
				tick.Stop()
			}
		case <-s.pool.quit:
			return
		case <-s.pool.ctx.Done():
			return
		}
	}
}

// serving counts the slots that take requests now or soon. The caller holds pool.mu, as with all that say nothing else.
func (s *scaler) serving() (awake, frozen, unready int) {
	for _, slot := range s.pool.slots {
		switch {
		case slot.retired:
		case slot.state == aloft.Frozen:
			frozen++
		case slot.state == aloft.Ready:
			awake++
		default:
			awake++
			unready++
		}
	}
	return awake, frozen, unready
}

// canGrow reports whether more instances could be had now.
func (s *scaler) canGrow() bool {
	awake, _, unready := s.serving()
	return awake < s.max && unready < s.atOnce && !s.alone
}

// load is the number of requests in flight and waiting.
func (s *scaler) load() int {
	n := 0
	for _, slot := range s.pool.slots {
		if slot.inst != nil && !slot.retired {
			n += slot.inst.inFlight()
		}
	}
	if g := s.pool.gate.Load(); g != nil {
		n += g.waitingFor(s.pool)
	}
	return n
}

// needed is the number of instances that a load needs.
func (s *scaler) needed(load int) int {
	if s.target == 0 {
		return s.min
	}
	return min(s.max, max(s.min, (load+s.target-1)/s.target))
}

// grow starts or thaws what is needed more. It returns false if nothing is asked for.
func (s *scaler) grow() bool {
	p := s.pool
	p.mu.Lock()
	load := s.load()
	need := s.needed(load)
	if load == 0 {
		p.mu.Unlock()
		return false
	}
	s.usedAt, s.most = time.Now(), max(s.most, need)
	awake, frozen, unready := s.serving()
	var thawed []*slot
	for _, slot := range p.slots {
		if slot.state == aloft.Frozen && !slot.retired && len(thawed) < need-awake {
			thawed = append(thawed, slot)
		}
	}
	p.mu.Unlock()
	for _, slot := range thawed {
		slot.thaw()
	}
	more := min(need-awake-len(thawed), s.atOnce-unready)
	if more <= 0 {
		return true
	}
	alone := awake+frozen > 0 && p.Insists() != nil
	p.mu.Lock()
	defer p.mu.Unlock()
	if alone && !s.alone {
		s.alone = true
		p.say(nil, "insists on a port or socket of its own choice: there is only one instance of it at a time")
		p.publish()
	}
	for range more {
		if s.alone && awake+frozen > 0 {
			break
		}
		s.add()
	}
	return true
}

// add starts one more slot.
func (s *scaler) add() {
	p := s.pool
	if p.over {
		return
	}
	slot := newSlot(p)
	p.slots = append(p.slots, slot)
	p.begin(slot, true, make(chan progress, 2))
	p.publish()
}
