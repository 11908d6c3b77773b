package local

import (
	"sync"
	"time"
)

// restAfter is how long nothing may have ended before the machine is at rest.
const restAfter = 2 * time.Second

// rest gives memory that starts and requests needed back to the system once no instance has ended for a while: Go's own
// scavenger keeps what the next collection may need, which never comes on a server whose apps all sleep.
type rest struct {
	free  func()
	mu    sync.Mutex
	timer *time.Timer
}

// ended notes that an instance, or the start of the server, has ended.
func (r *rest) ended() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer == nil {
		r.timer = time.AfterFunc(restAfter, r.free)
		return
	}
	r.timer.Reset(restAfter)
}

// close forgets it.
func (r *rest) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer != nil {
		r.timer.Stop()
	}
}
