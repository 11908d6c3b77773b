package function

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/runtimeapi"
	"github.com/aloft-run/aloft/internal/upstream"
)

type netAddr = net.Addr

// instance is one running copy of a function.
type instance struct {
	id        string
	pool      *Pool
	port      int // assigned; 0 for a worker
	box       engine.Sandbox
	output    *output
	cleanup   func()
	startedAt time.Time
	hung      chan struct{}                      // has a token when it does not answer
	session   *runtimeapi.Session                // of a handler's runtime; else nil
	launched  chan struct{}                      // closed once box is there
	tells     atomic.Pointer[runtimeapi.Session] // session, while it writes
	report    report
	watch     atomic.Pointer[Watch] // of the call that it works on; may be nil

	coldMu sync.Mutex // held while it is frozen or thawed
	ending bool       // it is not frozen any more

	// guarded by pool.mu
	addr   net.Addr           // where requests go
	up     *upstream.Upstream // nil until ready, and for a worker
	former []*upstream.Upstream
	warm   bool // freezing it failed
}

// launch starts a process. It returns the error that Engine.Start gave.
func (p *Pool) launch() (*instance, error) {
	inst := &instance{pool: p, cleanup: func() {}, startedAt: time.Now(), hung: make(chan struct{}, 1), launched: make(chan struct{})}
	inst.id = fmt.Sprintf("%s-%d-%s", p.Function.Name, p.Release, strings.ToLower(rand.Text()[:6]))
	if p.Function.Kind == aloft.Web {
		port, err := p.assignPort()
		if err != nil {
			return nil, err
		}
		inst.port = port
	}
	spec, cleanup, err := p.Prepare(inst.id, inst.port)
	if err != nil {
		p.Ports.release(inst)
		return nil, err
	}
	if cleanup != nil {
		inst.cleanup = cleanup
	}
	spec.ID = p.Function.Name
	inst.output = newOutput(func(stream, text string, at time.Time) {
		inst.watch.Load().add(text)
		inst.tellLine(text, at)
		p.Log(aloft.LogLine{Time: at, Release: p.Release, Function: p.Function.Name, Instance: inst.id, Stream: stream, Text: text})
	})
	spec.Stdout, spec.Stderr = inst.output.stdout, inst.output.stderr
	if p.Function.Kind == aloft.Handler {
		err = inst.serveRuntime(&spec)
	}
	if err == nil {
		inst.box, err = p.Engine.Start(p.ctx, spec)
	}
	if err != nil {
		inst.closeSession()
		inst.cleanup()
		p.Ports.release(inst)
		return nil, err
	}
	close(inst.launched)
	p.Ports.hold(inst)
	p.say(inst, "started, pid %d", inst.box.PID())
	return inst, nil
}

// ownNetwork reports whether instances share no ports.
func (p *Pool) ownNetwork() bool { return p.Engine.Layout("", "").OwnNetwork }

func (p *Pool) assignPort() (int, error) {
	if !p.ownNetwork() {
		return p.Ports.assign()
	}
	return ownPort, nil
}

// What an instance with a network of its own is given: its PORT, and where the Runtime API is, as on Lambda.
const (
	ownPort     = 8080
	runtimePort = 9001
)

// say logs something about an instance; nil stands for one that could not be started.
func (p *Pool) say(inst *instance, format string, args ...any) {
	p.note(inst, fmt.Sprintf(format, args...))
}

// note is say for a text.
func (p *Pool) note(inst *instance, text string) {
	line := aloft.LogLine{Time: time.Now(), Release: p.Release, Function: p.Function.Name, Stream: "aloft", Text: text}
	if inst != nil {
		line.Instance = inst.id
	}
	p.Log(line)
}

// target makes requests go to addr, nil for a worker. The caller holds pool.mu.
func (i *instance) target(addr net.Addr) {
	if addr == nil && i.session == nil {
		return
	}
	i.addr = addr
	i.up = upstream.New(i.id, func(ctx context.Context) (net.Conn, error) { return i.box.Dial(ctx, addr) })
	i.up.Owner = i
	limit := i.pool.Function.Concurrency
	if i.session != nil {
		limit = 1 // as on Lambda
	}
	if limit > 0 {
		i.up.Limit, i.up.Ended = limit, i.pool.ended
	}
	i.up.Hung = func() {
		select {
		case i.hung <- struct{}{}:
		default: // it is known
		}
	}
}

// insists says what Pool.Insists says.
func (i *instance) insists() net.Addr {
	if i.pool.ownNetwork() {
		return nil
	}
	i.pool.mu.Lock()
	main := i.addr
	i.pool.mu.Unlock()
	switch addr := main.(type) {
	case *net.TCPAddr:
		if addr.Port != i.port {
			return addr
		}
	case *net.UnixAddr:
		if !i.owns(addr.Name) {
			return addr
		}
	}
	all, _ := i.box.Listeners() // unknown is as good as none
	for _, a := range all {
		if tcp, ok := a.(*net.TCPAddr); ok && tcp.Port != i.port && tcp.Port < firstRandomPort {
			return a
		}
	}
	return nil
}

// firstRandomPort is the first of those that the system gives to who does not mind. A second socket there (a debugger's, a
// runtime's own) will be elsewhere in another instance.
const firstRandomPort = 32768

// owns reports whether a path is in a directory of this release alone.
func (i *instance) owns(path string) bool {
	return slices.ContainsFunc(i.pool.Own, func(dir string) bool {
		rel, err := filepath.Rel(dir, path)
		return err == nil && filepath.IsLocal(rel)
	})
}

// upstreams are all that requests were ever led to.
func (i *instance) upstreams() []*upstream.Upstream {
	if i.up == nil {
		return nil
	}
	return append(slices.Clone(i.former), i.up)
}

func (i *instance) inFlight() int {
	n := 0
	for _, u := range i.upstreams() {
		n += u.InFlight()
	}
	return n
}

// idle takes no more requests and waits until none is in flight, for the given time at most.
func (i *instance) idle(stop <-chan struct{}, atMost time.Duration) bool {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	for _, u := range i.upstreams() {
		select {
		case <-u.Drain():
		case <-stop:
			return false
		case <-timer.C:
			return false
		}
	}
	return true
}

// cut ends all requests.
func (i *instance) cut() {
	for _, u := range i.upstreams() {
		u.Drain()
		u.Cut()
	}
}

// destroy ends the instance at once and returns when it is gone.
func (i *instance) destroy() {
	_ = i.box.Signal(syscall.SIGKILL)
	timer := time.NewTimer(abandonTime)
	defer timer.Stop()
	select {
	case <-i.box.Done():
	case <-timer.C:
		i.pool.say(i, "pid %d does not die and is given up", i.box.PID())
	}
	i.finish()
}

// finish does what comes after the end.
func (i *instance) finish() {
	i.closeSession()
	i.output.flush()
	i.cleanup()
	i.cleanup = func() {}
}

// show returns an address as Instance.Listen has it; wildcards as they are dialled.
func show(addr net.Addr) string {
	switch a := addr.(type) {
	case nil:
		return ""
	case *net.UnixAddr:
		return "unix:" + a.Name
	case *net.TCPAddr:
		if !a.IP.IsUnspecified() {
			return a.String()
		}
		loopback := net.IPv6loopback
		if a.IP.To4() != nil {
			loopback = net.IPv4(127, 0, 0, 1)
		}
		return (&net.TCPAddr{IP: loopback, Port: a.Port}).String()
	}
	return addr.String()
}
