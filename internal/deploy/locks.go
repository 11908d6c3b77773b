package deploy

import (
	"context"
	"sync"

	"github.com/aloft-run/aloft"
)

// locks is a set of named locks whose waiting can be given up. The zero value is ready.
type locks struct {
	mu   sync.Mutex
	held map[string]*lock
}

type lock struct {
	free  chan struct{} // holds one token while nobody holds the lock
	users int           // holder and waiters
}

// acquire takes the named lock and returns what releases it. If it has to wait it reports waiting first.
func (l *locks) acquire(ctx context.Context, name, waiting string, report aloft.Reporter) (release func(), err error) {
	lk := l.join(name)
	select {
	case <-lk.free:
	default:
		report.Report(aloft.Notice{Text: waiting})
		select {
		case <-lk.free:
		case <-ctx.Done():
			l.leave(name, lk)
			return nil, canceled(ctx)
		}
	}
	return l.releaser(name, lk), nil
}

// try takes the named lock if nobody has it.
func (l *locks) try(name string) (release func(), ok bool) {
	lk := l.join(name)
	select {
	case <-lk.free:
		return l.releaser(name, lk), true
	default:
		l.leave(name, lk)
		return nil, false
	}
}

func (l *locks) releaser(name string, lk *lock) func() {
	return func() {
		lk.free <- struct{}{}
		l.leave(name, lk)
	}
}

func (l *locks) join(name string) *lock {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held = map[string]*lock{}
	}
	lk := l.held[name]
	if lk == nil {
		lk = &lock{free: make(chan struct{}, 1)}
		lk.free <- struct{}{}
		l.held[name] = lk
	}
	lk.users++
	return lk
}

func (l *locks) leave(name string, lk *lock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if lk.users--; lk.users == 0 {
		delete(l.held, name)
	}
}

// canceled returns the error of a ctx that ended.
func canceled(ctx context.Context) error {
	return aloft.Errorf(aloft.Canceled, "interrupted: %w", context.Cause(ctx))
}
