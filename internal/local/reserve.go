package local

import (
	"context"
	"sync"

	"github.com/aloft-run/aloft"
)

// reservations count the invocations of functions that may have only so many at once, of all their releases together. The zero
// value is ready. Invocations that began while there was no bound are not counted.
type reservations struct {
	mu      sync.Mutex
	running map[reserved]int
}

type reserved struct {
	aloft.StageRef

	function string
}

// enter counts one invocation more until leave is called. It returns an Unavailable error, caused by an *aloft.Throttled, if there
// are most already.
func (r *reservations) enter(key reserved, most int) (leave func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running[key] >= most {
		return nil, aloft.Errorf(aloft.Unavailable, "%s takes no event: %w", key.function, &aloft.Throttled{Reserved: most}).
			WithHint("try again, or reserve more: aws lambda put-function-concurrency, delete-function-concurrency")
	}
	if r.running == nil {
		r.running = map[reserved]int{}
	}
	r.running[key]++
	return sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.running[key]--; r.running[key] == 0 {
			delete(r.running, key)
		}
	}), nil
}

// reserve makes find's target count as long as it is used, and keeps it from those who are too many.
func (p *Platform) reserve(ctx context.Context, ref aloft.StageRef, function string, find func() (target, error)) (target, error) {
	if p.Reserved == nil {
		return find()
	}
	most, bound := p.Reserved(ctx, ref, function)
	if !bound {
		return find()
	}
	leave, err := p.reservations.enter(reserved{ref, function}, most)
	if err != nil {
		return target{}, err
	}
	to, err := find()
	if err != nil {
		leave()
		return target{}, err
	}
	found := to.leave
	to.leave = func() { found(); leave() }
	return to, nil
}
