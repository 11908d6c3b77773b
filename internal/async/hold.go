package async

import (
	"sync"
	"time"
)

// How long events wait for a function that takes none: from the first on, doubled, up to the last. Lambda has it as 1 s to
// 5 minutes, for each event; here it is the lane that waits, and asks again sooner.
const (
	firstWait = time.Second
	lastWait  = 30 * time.Second
)

// hold keeps a lane from taking up events while its function takes none. The zero value does not.
type hold struct {
	mu    sync.Mutex
	next  time.Duration // how long it will be; 0 means firstWait
	until time.Time
}

// refused says that the function took no event, and returns after how long it is worth asking again.
func (h *hold) refused() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if !now.Before(h.until) { // others of the same moment change nothing
		h.next = max(firstWait, h.next)
		h.until = now.Add(h.next)
		h.next = min(2*h.next, lastWait)
	}
	return h.until.Sub(now)
}

// answered says that the function took one.
func (h *hold) answered() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next, h.until = 0, time.Time{}
}

// left is how long the hold lasts.
func (h *hold) left() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Until(h.until)
}
