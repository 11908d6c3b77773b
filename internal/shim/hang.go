package shim

import (
	"sync/atomic"
	"time"
)

// process is one of those that the server has been.
type process struct {
	ready  time.Time     // when it took requests
	missed atomic.Int32  // invocations in a row that it did not answer in their time
	hung   chan struct{} // has an element when it is to be ended for that
	gone   chan struct{} // closed when it has ended
}

// answered notes that the process answers.
func (p *process) answered() {
	if p.missed.Load() != 0 {
		p.missed.Store(0)
	}
}

// patience is how many invocations in a row a server may leave unanswered until their time is nearly up. Lambda resets an environment
// at the first; where others are under way in the same one, that they are answered says that the server does not hang.
func (s *settings) patience() int32 {
	if s.concurrency > 1 {
		return 2
	}
	return 1
}

// miss notes that a process did not answer an invocation in its time, and ends one that hangs, so that another takes its place. It
// waits for that end for a moment: the environment may be frozen then.
func (c *child) miss(p *process) {
	if p.missed.Add(1) < c.patience() {
		return
	}
	c.mu.Lock()
	if c.now.server == p { // requests wait for the next one from now on
		c.change(state{why: c.hangs(), failures: c.now.failures})
	}
	c.mu.Unlock()
	select {
	case p.hung <- struct{}{}:
	default: // somebody else has said so
	}
	timer := time.NewTimer(noticeTime)
	defer timer.Stop()
	select {
	case <-p.gone:
	case <-timer.C:
	}
}

// hangs says why a server was ended.
func (c *child) hangs() error {
	what := "it did not answer within the function's timeout"
	if c.patience() > 1 {
		what = "it did not answer two invocations in a row within the function's timeout"
	}
	return failed(kindTimeout, "%s is ended and started anew: %s", c.Command[0], what)
}
