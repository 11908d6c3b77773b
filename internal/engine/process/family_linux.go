package process

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	killTime  = 2 * time.Second      // how long killAll goes on against processes that multiply or do not die
	killPause = 2 * time.Millisecond // between looks for what is left
)

// family returns the living processes of the sandbox: its session, all descendants of its first process, and whoever
// carries its token. Only one that gave up all three is missed.
func (s *sandbox) family() []proc {
	return members(processes(), func(p proc) bool {
		return p.pid == s.pid || p.session == s.pid || p.born >= s.born && p.token() == s.record.token
	})
}

// living is the family, none after the end: then the first pid may be another's.
func (s *sandbox) living() []proc {
	select {
	case <-s.done:
		return nil
	default:
		return s.family()
	}
}

// Idle implements engine.Idler.
func (s *sandbox) Idle() bool {
	lives := false
	for _, p := range s.living() {
		if p.busy() {
			return false
		}
		lives = lives || p.pid == s.pid
	}
	return lives
}

// members returns the living processes that root accepts, with all their descendants.
func members(all []proc, root func(proc) bool) []proc {
	in := make(map[int]bool, 8)
	for _, p := range all {
		if root(p) {
			in[p.pid] = true
		}
	}
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if in[p.parent] && !in[p.pid] {
				in[p.pid], grown = true, true
			}
		}
	}
	return slices.DeleteFunc(all, func(p proc) bool { return !in[p.pid] || p.dead })
}

// killAll kills what is left of the sandbox, until a look finds nothing.
func (s *sandbox) killAll() {
	_ = unix.Kill(-s.pid, unix.SIGKILL)
	killUntilGone(s.family)
}

func killUntilGone(left func() []proc) (killed int) {
	deadline := time.Now().Add(killTime)
	gone := map[int]bool{}
	for {
		rest := left()
		if len(rest) == 0 || time.Now().After(deadline) {
			return len(gone)
		}
		for _, p := range rest {
			p.signal(unix.SIGKILL)
			gone[p.pid] = true
		}
		<-time.After(killPause)
	}
}
