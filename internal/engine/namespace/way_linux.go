package namespace

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/egress"
	"github.com/aloft-run/aloft/internal/engine/netstack"
)

// way leads one sandbox to the Internet.
type way interface {
	// Allow opens private addresses.
	Allow(network engine.Network) error
	// Close takes the way away, and with it all connections.
	Close() error
}

// ways makes the ways of sandboxes: by the machine's kernel if the server may set its network up, else by a stack of the
// server's own, which needs no rights. Without either, sandboxes reach only themselves.
type ways struct {
	mu     sync.Mutex
	kernel *egress.Egress
	stacks *netstack.Stacks
	err    error // why it is not the kernel, or nothing
}

// errNoWay is with what a sandbox fails that gets no way to the Internet.
var errNoWay = errors.New("give a sandbox a way to the Internet")

// open returns why it is not the kernel that leads sandboxes out.
func (w *ways) open(server string) error {
	if w.kernel, w.err = egress.Open(server); w.err != nil {
		w.kernel, w.stacks = nil, netstack.New(egress.Public)
	}
	return w.err
}

// shut makes the sandboxes that follow reach only themselves.
func (w *ways) shut(why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stacks, w.err = nil, fmt.Errorf("%w; %w", w.err, why)
}

func (w *ways) close() error {
	if w.kernel == nil {
		return nil
	}
	return w.kernel.Close()
}

// String says in a clause what sandboxes reach.
func (w *ways) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.kernel != nil:
		return ""
	case w.stacks != nil:
		return ", which reaches the Internet by a userspace stack"
	}
	return fmt.Sprintf(", which reaches nothing outside (%v)", w.err)
}

// outside returns a new way out of a sandbox, nil if there are none.
func (e *Engine) outside(s *seed) (way, error) {
	e.ways.mu.Lock()
	kernel, stacks := e.ways.kernel, e.ways.stacks
	e.ways.mu.Unlock()
	if kernel != nil {
		space, err := os.Open("/proc/" + strconv.Itoa(s.pid) + "/ns/net")
		if err != nil {
			return nil, fmt.Errorf("open the network of a sandbox: %w", err)
		}
		defer space.Close()
		c, err := kernel.Connect(space)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	if stacks == nil {
		return nil, nil //nolint:nilnil // none is an answer
	}
	c, err := stacks.Connect(s.socket)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoWay, err)
	}
	return c, nil
}
