package local

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/function"
	"github.com/aloft-run/aloft/internal/route"
)

// stage is what the platform knows of a stage.
type stage struct {
	ref  aloft.StageRef
	turn chan struct{} // holds one token of whoever changes the stage
	gate *function.Gate

	aliasMu sync.Mutex                    // held while they are read from the store
	aliases atomic.Pointer[[]aloft.Alias] // nil: to be read

	mu       sync.Mutex
	info     aloft.Stage
	release  aloft.Release             // the last that served; its zero value if none
	handlers map[string]*function.Gate // of handler functions, those of earlier releases too
	route    *route.Route              // without hosts; nil if there is nothing to lead to
	now      *deployment               // nil if nothing runs
	old      []*deployment             // they finish their requests
	stopped  bool                      // by the user
	broken   string                    // why the release could not even be prepared after a start of the server
}

func newStage(ref aloft.StageRef) *stage {
	return &stage{ref: ref, turn: make(chan struct{}, 1), gate: function.NewGate(), handlers: map[string]*function.Gate{}, info: aloft.Stage{StageRef: ref}}
}

// version is that of the release that serves, or served last; 0 if none did.
func (s *stage) version() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.release.Version
}

// halted reports whether the user stopped the stage.
func (s *stage) halted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

// current is what runs.
func (s *stage) current() *deployment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// take returns what runs and forgets it.
func (s *stage) take() *deployment {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.now
	s.now = nil
	return d
}

// serves makes d what runs and leads the hosts to it. It returns what ran before.
func (p *Platform) serves(s *stage, d *deployment) (old *deployment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, s.now, s.release, s.stopped, s.broken = s.now, d, d.release, false, ""
	if d.web != nil {
		s.gate.Use(d.web) // before the route: requests on their way by the old one come here too
	}
	s.handle(d)
	s.route = d.route(s.gate, p.events(s, d.release))
	p.put(s)
	return old
}

// put makes the stage's hosts lead to its route. The caller holds s.mu.
func (p *Platform) put(s *stage) {
	if s.route == nil {
		p.Table.Remove(s.info.StageRef)
		return
	}
	r := *s.route
	r.Hosts = p.Hosts(s.info.Clone())
	p.Table.Put(&r)
}

// retire lets d finish its requests and removes it, in the background. The channel is closed when it is gone.
func (p *Platform) retire(s *stage, d *deployment) <-chan struct{} {
	if d == nil {
		gone := make(chan struct{})
		close(gone)
		return gone
	}
	s.mu.Lock()
	s.old = append(s.old, d)
	s.mu.Unlock()
	p.after(func() {
		defer close(d.gone)
		select {
		case <-time.After(d.linger):
		case <-p.work.Done():
		}
		d.stop(p.life)
		d.remove()
		s.mu.Lock()
		s.old = slices.DeleteFunc(s.old, func(o *deployment) bool { return o == d })
		s.mu.Unlock()
	})
	return d.gone
}
