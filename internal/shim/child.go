package shim

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	graceTime    = 400 * time.Millisecond // between SIGTERM and SIGKILL: Lambda gives the environment half a second
	drainTime    = time.Second            // for output of what the server left behind
	firstPause   = 100 * time.Millisecond // before a second start after a failed one, doubled each time
	longestPause = 2 * time.Second        // a request may wait for its end
	steadyTime   = time.Minute            // after so long a server has not failed in a row
	retargetTime = 10 * time.Second       // after it was ready, in which a server may open PORT yet
	hopeless     = 3                      // failures in a row after which one start more is waited for, and no other
)

// child is the web server: started, seen to be ready, and started again when it ends.
type child struct {
	*settings

	port   int // PORT
	stdout *output
	stderr *output
	say    func(format string, args ...any)
	clock  clock
	pumps  atomic.Pointer[[]*pump]
	lost   atomic.Bool // the server does not start any more: the environment is of no use

	mu      sync.Mutex
	now     state
	changed chan struct{} // closed when now changes
}

// state is how the server is.
type state struct {
	addr     net.Addr  // where it takes requests; nil if it does not
	server   *process  // that takes them; nil if none does
	why      error     // why it does not; nil while it starts for the first time
	failures int       // in a row
	since    time.Time // when it was ready
}

func newChild(s *settings, stdout, stderr *output, say func(string, ...any)) *child {
	return &child{settings: s, port: s.port, stdout: stdout, stderr: stderr, say: say, changed: make(chan struct{})}
}

// set changes the state and wakes who waits for that.
func (c *child) set(s state) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.change(s)
}

// change is set for those who hold the lock.
func (c *child) change(s state) {
	c.now = s
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *child) state() (state, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now, c.changed
}

// settled waits until the server is ready or has failed, once, and returns why it has failed.
func (c *child) settled(ctx context.Context) error {
	for {
		now, changed := c.state()
		if now.addr != nil || now.why != nil {
			return now.why
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// address waits until the server takes requests, and returns where, and which process it is. It gives up when ctx ends, and when a
// start that it waited for failed after others had: only an invocation gives a start time, so that each waits for one, and when that
// fails, too, the server is lost.
func (c *child) address(ctx context.Context) (net.Addr, *process, error) {
	first, _ := c.state()
	for {
		now, changed := c.state()
		if now.addr != nil {
			return c.retarget(now), now.server, nil
		}
		if now.failures >= hopeless && now.failures > first.failures {
			c.lost.Store(true)
			return nil, nil, now.why
		}
		select {
		case <-changed:
		case <-ctx.Done():
			if now.failures >= hopeless {
				c.lost.Store(true)
			}
			if now.why != nil {
				return nil, nil, now.why
			}
			return nil, nil, failed(kindTimeout, "the server is not ready yet")
		}
	}
}

// retarget returns where a server takes requests that was found elsewhere than on PORT, which it may have opened since: some open
// a port for their metrics first.
func (c *child) retarget(now state) net.Addr {
	assigned := c.assigned()
	if now.addr.String() == assigned.String() || time.Since(now.since) > retargetTime || !connects(assigned) {
		return now.addr
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now == now { // and not another server, or none, by now
		c.now.addr = assigned
	}
	return assigned
}

// notice waits for a change of the server's state, so long at most.
func (c *child) notice(ctx context.Context, most time.Duration) {
	now, changed := c.state()
	if now.addr == nil {
		return
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// run keeps the server running until ctx ends, and stops it then.
func (c *child) run(ctx context.Context) {
	for failures := 0; ctx.Err() == nil; {
		began := time.Now()
		why, hung := c.once(ctx, failures)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > steadyTime {
			failures = 0
		}
		if !hung {
			failures++
		}
		c.set(state{why: why, failures: failures})
		c.say("%v", why)
		if hung {
			continue
		}
		pause := time.Duration(0)
		if failures > 1 {
			pause = min(firstPause<<min(failures-2, 10), longestPause)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// once starts the server and returns when it has ended, with the reason, and whether that is that it hung.
func (c *child) once(ctx context.Context, failures int) (why error, hung bool) {
	c.stderr.tail.reset()
	if c.port == 0 {
		port, err := freePort()
		if err != nil {
			return failed(kindInit, "find a port for the server: %v", err), false
		}
		c.port = port
	}
	before := known(listening())
	cmd, err := c.command()
	if err != nil {
		return err, false
	}
	ended, err := c.start(cmd)
	if err != nil {
		return failed(kindInit, "%s cannot be started: %v", c.Command[0], err), false
	}
	addr, why := c.ready(ctx, cmd.Process.Pid, before, ended)
	p := &process{hung: make(chan struct{}, 1), gone: make(chan struct{})}
	defer close(p.gone)
	if addr != nil {
		p.ready = time.Now()
		c.set(state{addr: addr, server: p, failures: failures, since: p.ready})
		select {
		case <-ended:
		case <-p.hung:
			hung = true
		case <-ctx.Done():
		}
	}
	stop(cmd.Process.Pid, ended, ctx.Err() != nil || why != nil)
	switch {
	case hung:
		why = c.hangs()
	case why == nil:
		why = c.ended(cmd, addr != nil)
	}
	return why, hung
}
