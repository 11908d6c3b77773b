package local

import "context"

// RestAfter is how long nothing may have ended.
const RestAfter = restAfter

// LeavesAfterPanic reports whether a call that panics leaves the place that it took.
func LeavesAfterPanic(ctx context.Context) (left bool) {
	defer func() { _ = recover() }()
	_, _ = target{leave: func() { left = true }}.invoke(ctx, nil, nil) // there is no gate
	return left
}

// NewRest returns what notes that something ended, and what forgets it.
func NewRest(free func()) (ended, forget func()) {
	r := &rest{free: free}
	return r.ended, r.close
}
