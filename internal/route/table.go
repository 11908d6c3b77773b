package route

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/aloft-run/aloft"
)

// Table holds the routes. The zero value is an empty table, ready to use.
type Table struct {
	mu     sync.Mutex // serialises writers
	routes atomic.Pointer[map[string]*Route]
}

// Lookup returns the route for a host (lower-case, without port), nil if there is none.
func (t *Table) Lookup(host string) *Route {
	m := t.routes.Load()
	if m == nil {
		return nil
	}
	return (*m)[host]
}

// Put makes r's hosts lead to r and drops the other hosts of its stage, in one swap.
func (t *Table) Put(r *Route) {
	t.swap(func(m map[string]*Route) {
		maps.DeleteFunc(m, func(_ string, old *Route) bool { return old.Stage == r.Stage })
		for _, h := range r.Hosts {
			m[h] = r
		}
	})
}

// Remove drops the routes of a stage.
func (t *Table) Remove(ref aloft.StageRef) {
	t.swap(func(m map[string]*Route) {
		maps.DeleteFunc(m, func(_ string, old *Route) bool { return old.Stage == ref })
	})
}

// Hosts returns all hosts, sorted.
func (t *Table) Hosts() []string {
	m := t.routes.Load()
	if m == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(*m))
}

func (t *Table) swap(change func(map[string]*Route)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := map[string]*Route{}
	if old := t.routes.Load(); old != nil {
		next = maps.Clone(*old)
	}
	change(next)
	t.routes.Store(&next)
}
