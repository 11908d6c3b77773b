package procfs

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	killTime  = 2 * time.Second      // how long KillUntilGone goes on against processes that multiply or do not die
	killPause = 2 * time.Millisecond // between looks for what is left
)

// Members returns the living processes that root accepts, with all their descendants.
func Members(all []Process, root func(Process) bool) []Process {
	in := make(map[int]bool, 8)
	for _, p := range all {
		if root(p) {
			in[p.PID] = true
		}
	}
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if in[p.Parent] && !in[p.PID] {
				in[p.PID], grown = true, true
			}
		}
	}
	return slices.DeleteFunc(all, func(p Process) bool { return !in[p.PID] || p.Dead })
}

// KillUntilGone kills what left returns until it returns nothing, and says how many it killed.
func KillUntilGone(left func() []Process) (killed int) {
	deadline := time.Now().Add(killTime)
	gone := map[int]bool{}
	for {
		rest := left()
		if len(rest) == 0 || time.Now().After(deadline) {
			return len(gone)
		}
		for _, p := range rest {
			p.Signal(unix.SIGKILL)
			gone[p.PID] = true
		}
		<-time.After(killPause)
	}
}
