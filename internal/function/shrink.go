package function

import (
	"time"

	"github.com/aloft-run/aloft"
)

// shrink looks for what is not needed any more. It returns true when nothing runs.
func (s *scaler) shrink() bool {
	p := s.pool
	p.mu.Lock()
	now := time.Now()
	s.see(now)
	if s.idle > 0 && now.Sub(s.usedAt) >= s.idle && s.calm() {
		s.retire(len(p.slots))
	}
	if now.Sub(s.since) >= lingerTime {
		awake, frozen, _ := s.serving()
		s.retire(awake + frozen - s.most)
		s.most, s.since = 0, now
	}
	awake, frozen, _ := s.serving()
	var cold []*slot
	for _, slot := range p.slots {
		if s.cold > 0 && slot.state == aloft.Ready && now.Sub(slot.usedAt) >= s.cold {
			cold = append(cold, slot)
		}
	}
	p.mu.Unlock()
	for _, slot := range cold {
		slot.freeze()
	}
	return awake+frozen == 0
}

// see takes note of the requests since the last look. The caller holds pool.mu, as below.
func (s *scaler) see(now time.Time) {
	load := s.load()
	if load > 0 {
		s.usedAt = now
	}
	s.most = max(s.most, s.needed(load))
	for _, slot := range s.pool.slots {
		if slot.state != aloft.Ready || slot.retired {
			continue
		}
		for _, up := range slot.inst.upstreams() {
			if up.Used() {
				slot.usedAt, s.usedAt = now, now
			}
		}
	}
}

// calm reports whether all instances are as they should be. Those that crash again and again are not hidden by ending them.
func (s *scaler) calm() bool {
	for _, slot := range s.pool.slots {
		if !slot.retired && slot.state != aloft.Ready && slot.state != aloft.Frozen {
			return false
		}
	}
	return true
}

// retire ends n slots, those first that serve least, the newest first. They finish their requests.
func (s *scaler) retire(n int) {
	if n <= 0 || s.pool.over {
		return
	}
	slots := s.pool.slots
	for _, ready := range []bool{false, true} {
		for i := len(slots) - 1; i >= 0 && n > 0; i-- {
			if slot := slots[i]; !slot.retired && (slot.state == aloft.Ready) == ready {
				slot.retire()
				n--
			}
		}
	}
	s.pool.publish()
}

// retire ends the slot though its pool goes on.
func (s *slot) retire() {
	s.retired = true
	if s.state == aloft.Ready {
		s.state = aloft.Draining
	}
	close(s.quit)
}
