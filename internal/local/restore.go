package local

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/function"
	"github.com/aloft-run/aloft/internal/route"
)

const (
	bootsAtOnce = 4                // stages that start at once after a start of the server
	bootTurn    = 10 * time.Second // after which the next stage starts though this one is not ready
)

// Restore makes stages serve again after a start of the server, before anything else is asked of the platform. It returns
// at once: hosts lead to their stages, and requests wait while those start. A release that cannot start is tried again
// and again and shown as crashed; one that cannot be unpacked is shown as crashed until the next.
func (p *Platform) Restore(ctx context.Context, stages []aloft.Restored) error {
	if err := p.sweep(); err != nil {
		return err
	}
	p.rest.ended() // the start itself needed memory
	slots := make(chan struct{}, bootsAtOnce)
	for _, r := range stages {
		s, err := p.stage(r.Stage.StageRef)
		if err != nil {
			return err
		}
		late := p.announce(s, r)
		if r.Stage.Stopped || r.Release.Artifact.Digest == "" {
			continue
		}
		p.after(func() {
			if !p.overtakes(r.Stage.StageRef) {
				return
			}
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
				p.boot(context.WithoutCancel(ctx), s, r, late)
			case <-p.work.Done():
			}
		})
	}
	return nil
}

// sweep removes what a server before this one left. It is moved away first: removing many files takes a while.
func (p *Platform) sweep() error {
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return fmt.Errorf("make the platform's directory: %w", err)
	}
	trash, err := os.MkdirTemp(p.Dir, "trash-")
	if err != nil {
		return fmt.Errorf("make a directory for what is left over: %w", err)
	}
	entries, err := os.ReadDir(p.Dir)
	if err != nil {
		return fmt.Errorf("read the platform's directory: %w", err)
	}
	for _, e := range entries {
		if path := filepath.Join(p.Dir, e.Name()); path != trash {
			if err := os.Rename(path, filepath.Join(trash, e.Name())); err != nil {
				return fmt.Errorf("clear the platform's directory: %w", err)
			}
		}
	}
	p.after(func() {
		if err := os.RemoveAll(trash); err != nil {
			p.Logger.Warn("remove what is left over", "dir", trash, "error", err)
		}
	})
	return nil
}

// announce leads the hosts of a stage to it before it runs.
func (p *Platform) announce(s *stage, r aloft.Restored) *late {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.info, s.release = r.Stage.Clone(), r.Release.Clone()
	late := &late{ready: make(chan struct{})}
	announced := &route.Route{Stage: r.Stage.StageRef, Release: r.Release.Version}
	for _, f := range r.Release.Tuned() {
		switch f.Kind {
		case aloft.Web:
			announced.Backend, announced.Function, announced.Timeout = s.gate, f.Name, f.Timeout.Or(0)
			announced.Hidden = f.EventsAt()
		case aloft.Static:
			announced.Static, announced.Prefix = below(f.Prefix, late), f.Prefix
		case aloft.Worker, aloft.Handler: // nobody asks it anything, or by events
		}
	}
	announced.Events = p.events(s, r.Release)
	if s.stopped = r.Stage.Stopped; s.stopped {
		s.gate.Close("stopped")
		for _, gate := range s.handlers {
			gate.Close("stopped")
		}
		announced.Backend, announced.Static, announced.Events = s.gate, nil, nil
	}
	if announced.Backend != nil || announced.Static != nil || announced.Events != nil {
		s.route = announced
		p.put(s)
	}
	return late
}

// boot starts a stage, unless it was changed meanwhile.
func (p *Platform) boot(ctx context.Context, s *stage, r aloft.Restored, late *late) {
	ctx, got, leave, err := p.enter(ctx, r.Stage.StageRef)
	if err != nil {
		return
	}
	if now := s.current(); got != s || now != nil || s.changed(r) {
		leave()
		if now != nil && now.static != nil {
			late.serve(now.static)
		}
		return
	}
	d, err := p.deploy(ctx, r.Release)
	if err != nil {
		p.Logger.Error("a stage cannot start", "stage", r.Stage.String(), "release", r.Release.Version, "error", err)
		s.mu.Lock()
		s.broken = err.Error()
		s.mu.Unlock()
		p.refuse(s, "crashed: its release cannot be prepared")
		leave()
		return
	}
	p.serves(s, d)
	late.serve(d.static)
	web := d.web // after leave another may replace it by one that is started already
	leave()
	d.work()
	for _, h := range d.handlers {
		p.after(h.Supervise)
	}
	if web == nil {
		return
	}
	seen := make(chan struct{})
	p.after(func() { web.Supervise(); close(seen) })
	select {
	case <-seen:
	case <-time.After(bootTurn):
	}
}

// changed reports whether the stage was stopped or given another release since it was announced.
func (s *stage) changed(r aloft.Restored) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped || s.release.Version != r.Release.Version
}

// late is a static function whose files are still being unpacked: requests wait as they do at a gate.
type late struct {
	ready chan struct{}
	files route.Files
}

func (l *late) serve(files route.Files) {
	l.files = files
	close(l.ready)
}

// Has implements route.Files. Like a request, the question waits until there is an answer.
func (l *late) Has(urlPath string) bool {
	limit := time.NewTimer(function.WaitLimit)
	defer limit.Stop()
	select {
	case <-l.ready:
		return l.files.Has(urlPath)
	case <-limit.C:
		return false
	}
}

// ServeHTTP implements http.Handler.
func (l *late) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	limit := time.NewTimer(function.WaitLimit)
	defer limit.Stop()
	select {
	case <-l.ready:
		l.files.ServeHTTP(w, r)
	case <-limit.C:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the app is starting", http.StatusServiceUnavailable)
	case <-r.Context().Done():
	}
}
