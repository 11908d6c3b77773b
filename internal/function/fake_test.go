package function_test

import (
	"context"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/function"
)

// fakeEngine starts boxes without processes, for tests about time.
type fakeEngine struct {
	make func(n int) (*fakeBox, error) // the nth start, from 0
	own  bool                          // boxes have networks of their own

	mu     sync.Mutex
	starts []time.Time
}

func (*fakeEngine) Name() string      { return "fake" }
func (*fakeEngine) Isolation() string { return "fake: nothing runs" }

func (*fakeEngine) Level() engine.Level { return engine.Separate }

func (e *fakeEngine) Layout(tree, _ string) engine.Layout {
	return engine.Layout{Tree: tree, OwnNetwork: e.own}
}

func (e *fakeEngine) Start(_ context.Context, spec engine.Spec) (engine.Sandbox, error) {
	e.mu.Lock()
	n := len(e.starts)
	e.starts = append(e.starts, time.Now())
	e.mu.Unlock()
	box, err := e.make(n)
	if err != nil {
		return nil, err
	}
	box.done = make(chan struct{})
	box.spec = spec
	if box.life > 0 {
		time.AfterFunc(box.life, func() { box.end(engine.Exit{Status: 1}) })
	}
	return box, nil
}

func (e *fakeEngine) started() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.starts)
}

// fakeBox listens on a port of its own, unless silent.
type fakeBox struct {
	life     time.Duration // until it crashes; 0: for ever
	silent   bool
	stubborn bool // ignores SIGTERM
	fixed    int  // the port; 0: 3000
	spec     engine.Spec

	mu      sync.Mutex
	signals map[syscall.Signal]time.Time
	exit    engine.Exit
	frozen  bool
	done    chan struct{}
}

// Freeze implements engine.Freezer.
func (b *fakeBox) Freeze() error { return b.freeze(true) }

// Thaw implements engine.Freezer.
func (b *fakeBox) Thaw() error { return b.freeze(false) }

func (b *fakeBox) freeze(on bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.frozen = on
	return nil
}

func (b *fakeBox) isFrozen() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.frozen
}

func (b *fakeBox) PID() int { return 4711 }

func (b *fakeBox) Listeners() ([]net.Addr, error) {
	if b.silent {
		return nil, nil
	}
	return []net.Addr{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: b.port()}}, nil
}

func (b *fakeBox) port() int {
	if b.fixed == 0 {
		return 3000
	}
	return b.fixed
}

func (b *fakeBox) Dial(context.Context, net.Addr) (net.Conn, error) {
	one, _ := net.Pipe()
	return one, nil
}

func (b *fakeBox) Signal(sig os.Signal) error {
	number := sig.(syscall.Signal)
	b.mu.Lock()
	if b.signals == nil {
		b.signals = map[syscall.Signal]time.Time{}
	}
	if _, again := b.signals[number]; !again {
		b.signals[number] = time.Now()
	}
	b.mu.Unlock()
	if number == syscall.SIGKILL || !b.stubborn {
		b.end(engine.Exit{Status: -1, Signal: number})
	}
	return nil
}

func (b *fakeBox) signaled(sig syscall.Signal) (time.Time, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, ok := b.signals[sig]
	return at, ok
}

func (b *fakeBox) end(exit engine.Exit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-b.done:
	default:
		b.exit = exit
		close(b.done)
	}
}

func (b *fakeBox) Done() <-chan struct{} { return b.done }

func (b *fakeBox) Exit() engine.Exit {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.exit
}

// web returns the options of a web function that runs command on e.
func web(e engine.Engine, command ...string) function.Options {
	return function.Options{
		Engine:   e,
		Ports:    function.NewPorts(),
		Stage:    aloft.StageRef{App: "shop", Stage: "staging"},
		Release:  1,
		Function: aloft.Function{Name: "web", Kind: aloft.Web},
		Prepare:  prepare(command),
		Log:      func(aloft.LogLine) {},
	}
}
