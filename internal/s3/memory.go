package s3

import (
	"strings"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
)

// memory has objects of stages whose locks this process holds, as it read or wrote them last: nobody else changes those. Of the index,
// which others change too, what it says of such a stage and its app stays true. Memory only saves reads: each write is
// conditional on what was remembered, and forgets it if somebody wrote after all.
type memory struct {
	mu    sync.Mutex
	locks map[aloft.StageRef]func() error // of the stages; an error once a lock is lost
	kept  map[string]object               // by key; one without an ETag is missing
	turn  int                             // counts locks and writes: what was read across one is not kept
	ahead *object                         // the index as Exists found it, for the read that comes next
	found time.Time                       // when that was
}

// fresh is how old the index that Exists found may be: commands read it next, but some of them build for minutes before.
const fresh = 10 * time.Second

// hold remembers from now on what is read of a stage, until done is called or the lock is lost.
func (m *memory) hold(ref aloft.StageRef, lost func() error) (done func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locks == nil {
		m.locks, m.kept = map[aloft.StageRef]func() error{}, map[string]object{}
	}
	m.locks[ref] = lost
	m.clear(ref)
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.locks, ref)
		m.clear(ref)
	}
}

// clear forgets what is known of a stage. What was read before its lock was taken others may have changed.
func (m *memory) clear(ref aloft.StageRef) {
	m.turn, m.ahead = m.turn+1, nil
	for key := range m.kept {
		if key == indexKey || strings.HasPrefix(key, stagesPrefix(ref)) {
			delete(m.kept, key)
		}
	}
}

// holds reports whether the lock of a stage is held, as far as this process knows.
func (m *memory) holds(ref aloft.StageRef) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.alive(ref)
}

func (m *memory) alive(ref aloft.StageRef) bool {
	lost, is := m.locks[ref]
	return is && lost() == nil
}

// lockOf is a stage of an app whose lock is held, the zero one if there is none.
func (m *memory) lockOf(app string) aloft.StageRef {
	m.mu.Lock()
	defer m.mu.Unlock()
	for ref := range m.locks {
		if ref.App == app && m.alive(ref) {
			return ref
		}
	}
	return aloft.StageRef{}
}

// covers reports whether the lock of some stage keeps others from changing an object.
func (m *memory) covers(key string) bool {
	for ref := range m.locks {
		if m.alive(ref) && (key == indexKey || strings.HasPrefix(key, stagesPrefix(ref))) {
			return true
		}
	}
	return false
}

// recall returns an object that is remembered, and the turn, which keep asks for.
func (m *memory) recall(key string) (found object, turn int, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ahead := m.ahead; ahead != nil && key == indexKey {
		m.ahead = nil
		if time.Since(m.found) < fresh {
			return *ahead, m.turn, true
		}
	}
	found, known = m.kept[key]
	return found, m.turn, known && m.covers(key)
}

// keep remembers what was read since a turn.
func (m *memory) keep(key string, o object, turn int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(key, o, turn)
}

// wrote remembers what was written since a turn. A read that began meanwhile may have found what was there before.
func (m *memory) wrote(key string, o object, turn int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(key, o, turn)
	m.turn++
}

func (m *memory) put(key string, o object, turn int) {
	if turn == m.turn && m.covers(key) {
		m.kept[key] = o
	}
}

// forget is called before an object is written and again if that failed. It returns the new turn.
func (m *memory) forget(key string) (turn int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.kept, key)
	m.turn++
	return m.turn
}

// foresee keeps the index for the read that comes next.
func (m *memory) foresee(index object) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ahead, m.found = &index, time.Now()
}
