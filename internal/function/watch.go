package function

import (
	"context"
	"sync"
)

// TailSize is how much of the end of a call's log is kept, in bytes: as much as Lambda gives its callers.
const TailSize = 4 << 10

// Watch is what can be known of a call besides its reply. It is made by NewWatch and is for one call.
type Watch struct {
	tailed bool
	ended  chan struct{} // closed when the instance is done with the call

	mu      sync.Mutex
	release int
	tail    []byte
}

// NewWatch returns a Watch for Gate.Watch. The log of the call is kept for Tail only if tailed is true.
func NewWatch(tailed bool) *Watch { return &Watch{tailed: tailed, ended: make(chan struct{})} }

// Release is that of the instance which got the call, 0 if none did.
func (w *Watch) Release() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.release
}

// Tail waits until the instance is done with the call, which is later than its reply, and returns the end of what was
// logged meanwhile, from START to REPORT. When ctx ends first it returns what there is.
func (w *Watch) Tail(ctx context.Context) []byte {
	select {
	case <-w.ended:
	case <-ctx.Done():
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]byte(nil), w.tail[max(0, len(w.tail)-TailSize):]...)
}

// add takes a line. W may be nil.
func (w *Watch) add(text string) {
	if w == nil || !w.tailed {
		return
	}
	text = text[max(0, len(text)-TailSize):]
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tail = append(append(w.tail, text...), '\n')
	if len(w.tail) > 4*TailSize { // seldom enough to cost nothing
		w.tail = append(w.tail[:0], w.tail[len(w.tail)-TailSize:]...)
	}
}

// attach makes lines of the instance go to w too. W may be nil.
func (i *instance) attach(w *Watch) {
	if w == nil {
		return
	}
	w.mu.Lock()
	w.release = i.pool.Release
	w.mu.Unlock()
	i.watch.Store(w)
}

// detach ends what attach began.
func (i *instance) detach(w *Watch) {
	if w == nil {
		return
	}
	i.watch.CompareAndSwap(w, nil)
	close(w.ended)
}
