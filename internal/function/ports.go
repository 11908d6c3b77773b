package function

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"

	"github.com/aloft-run/aloft"
)

// Ports are chosen below those that Linux gives to outgoing connections.
const (
	firstPort    = 20000
	lastPort     = 32000
	maxPortTries = 3 // instances started before a collision with another program is an error
)

// Ports chooses the ports of instances and knows which instance holds which.
type Ports struct {
	mu       sync.Mutex
	assigned map[int]bool
	running  map[*instance]bool
}

// NewPorts returns Ports with all free.
func NewPorts() *Ports { return &Ports{assigned: map[int]bool{}, running: map[*instance]bool{}} }

// assign returns a port that no other instance was given and on which nobody listens.
func (p *Ports) assign() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort) //nolint:gosec // not a secret
		if !p.assigned[port] && free("127.0.0.1", port) && free("::1", port) {
			p.assigned[port] = true
			return port, nil
		}
	}
	return 0, aloft.Errorf(aloft.Unavailable, "no port between %d and %d is free", firstPort, lastPort)
}

// free reports whether a server could listen. A family that the machine lacks is no obstacle.
func free(ip string, port int) bool {
	addr := &net.TCPAddr{IP: net.ParseIP(ip), Port: port}
	l, err := net.ListenTCP("tcp", addr)
	if err != nil {
		other, err := net.ListenTCP("tcp", &net.TCPAddr{IP: addr.IP})
		if err == nil {
			_ = other.Close()
		}
		return err != nil && ip == "::1"
	}
	return l.Close() == nil
}

// hold takes note that inst runs.
func (p *Ports) hold(inst *instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running[inst] = true
}

// release frees what inst holds.
func (p *Ports) release(inst *instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.running, inst)
	delete(p.assigned, inst.port)
}

// holder returns the instance, other than except, that listens on a TCP port.
func (p *Ports) holder(port int, except *instance) (*instance, bool) {
	for inst, held := range p.held(except) {
		if slices.Contains(held, port) {
			return inst, true
		}
	}
	return nil, false
}

// insisting lists the stages that hold ports other than the ones they were given: "shop/production (port 3000)".
func (p *Ports) insisting(except *instance) []string {
	var names []string
	for inst, held := range p.held(except) {
		for _, port := range held {
			if port != inst.port {
				names = append(names, fmt.Sprintf("%s (port %d)", inst.pool.Stage, port))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// held returns the TCP ports on which each running instance but except listens.
func (p *Ports) held(except *instance) map[*instance][]int {
	p.mu.Lock()
	held := make(map[*instance][]int, len(p.running))
	for inst := range p.running {
		if inst != except {
			held[inst] = nil
		}
	}
	p.mu.Unlock()
	for inst := range held {
		addrs, err := inst.box.Listeners()
		if err != nil { // it has just ended
			delete(held, inst)
			continue
		}
		for _, addr := range addrs {
			if tcp, ok := addr.(*net.TCPAddr); ok {
				held[inst] = append(held[inst], tcp.Port)
			}
		}
	}
	return held
}

// PortTaken is the cause of an error of Start: the program wants a port that another one holds.
type PortTaken struct {
	Port   int
	Stage  aloft.StageRef // whose instance holds it; zero if it is not one of ours
	PID    int            // 0 if unknown
	Holder string         // for people: "shop/production" or "pid 12 (nginx)", "another program" if unknown, several if it is one of them
}

// Error says who holds the port.
func (e *PortTaken) Error() string {
	if e.Port == 0 {
		return "an address it wants is already in use by " + e.Holder
	}
	return fmt.Sprintf("port %d is already in use by %s", e.Port, e.Holder)
}
