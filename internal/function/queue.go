package function

import (
	"container/list"

	"github.com/aloft-run/aloft/internal/upstream"
)

// waiter is a request in the queue of a gate.
type waiter struct {
	outcome chan outcome  // has room for the one there will be
	at      *list.Element // its place in the queue; nil once it has an outcome or left
}

// outcome is what came of waiting: an instance on which Begin was called, or why there is none.
type outcome struct {
	up  *upstream.Upstream
	err error
}

// push adds a request to the end of the queue. The caller holds g.mu, as with all below.
func (g *Gate) push() *waiter {
	w := &waiter{outcome: make(chan outcome, 1)}
	w.at = g.queue.PushBack(w)
	g.waiting.Add(1)
	return w
}

// remove reports whether w was in the queue.
func (g *Gate) remove(w *waiter) bool {
	if w.at == nil {
		return false
	}
	g.queue.Remove(w.at)
	w.at = nil
	g.waiting.Add(-1)
	return true
}

// settle gives a request its outcome.
func (g *Gate) settle(w *waiter, o outcome) {
	g.remove(w)
	w.outcome <- o
}

// serve gives those who wait the room that there is, in their order.
func (g *Gate) serve() {
	for first := g.queue.Front(); first != nil; first = g.queue.Front() {
		u := g.take()
		if u == nil {
			return
		}
		g.settle(first.Value.(*waiter), outcome{up: u})
	}
}

// refuse tells all who wait that it is in vain.
func (g *Gate) refuse(err error) {
	for first := g.queue.Front(); first != nil; first = g.queue.Front() {
		g.settle(first.Value.(*waiter), outcome{err: err})
	}
}

// take begins a request on an instance with room, nil if there is none.
func (g *Gate) take() *upstream.Upstream {
	from := g.ready.Load()
	if from == nil {
		return nil
	}
	if u := pick(from.list); u.Begin() {
		return u
	}
	for _, u := range from.list { // the least busy one may be just ending
		if u.Begin() {
			return u
		}
	}
	return nil
}

// wake lets those pass who wait for room. It is called when a request ends.
func (g *Gate) wake() {
	if g.waiting.Load() == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.serve()
}

// waitingFor is how many requests wait for an instance of p.
func (g *Gate) waitingFor(p *Pool) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pool != p {
		return 0
	}
	return g.queue.Len()
}
