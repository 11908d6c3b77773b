package local

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/aloft-run/aloft"
)

// Stop implements aloft.Platform. When ctx ends before all instances have, they go on ending.
func (p *Platform) Stop(ctx context.Context, ref aloft.StageRef) error {
	if p.known(ref) == nil {
		return nil
	}
	return p.whole(ctx, func() error {
		_, s, leave, err := p.enter(context.Background(), ref)
		if err != nil {
			return err
		}
		defer leave()
		<-p.halt(s, "stopped")
		return nil
	})
}

// Remove implements aloft.Platform. When ctx ends before all is freed, it goes on being freed.
func (p *Platform) Remove(ctx context.Context, ref aloft.StageRef) error {
	return p.whole(ctx, func() error {
		_, s, leave, err := p.enter(context.Background(), ref)
		if err != nil {
			return err
		}
		defer leave() // not before all is gone, so that the next stage of this name finds nothing
		p.Table.Remove(ref)
		s.mu.Lock()
		s.route = nil
		s.mu.Unlock()
		<-p.halt(s, "removed")
		_ = s.awaitOld(context.Background())
		p.forget(s, ref)
		return nil
	})
}

// whole does what must not be left half done. It returns earlier when ctx ends.
func (p *Platform) whole(ctx context.Context, do func() error) error {
	if err := p.begin(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		defer p.background.Done()
		done <- do()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return aloft.Errorf(aloft.Canceled, "the instances are still ending: %w", ctx.Err())
	}
}

// halt refuses requests from now on and ends what runs in the background.
func (p *Platform) halt(s *stage, reason string) <-chan struct{} {
	p.refuse(s, reason)
	s.mu.Lock()
	s.stopped, s.broken = true, ""
	s.mu.Unlock()
	return p.retire(s, s.take())
}

// refuse answers all requests of a stage with the reason.
func (p *Platform) refuse(s *stage, reason string) {
	s.gate.Close(reason)
	s.closeHandlers(reason)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.route != nil {
		r := *s.route
		r.Backend, r.Static, r.Events = s.gate, nil, nil
		s.route = &r
		p.put(s)
	}
}

// awaitOld returns when nothing of the stage finishes requests any more.
func (s *stage) awaitOld(ctx context.Context) error {
	s.mu.Lock()
	old := slices.Clone(s.old)
	s.mu.Unlock()
	for _, d := range old {
		select {
		case <-d.gone:
		case <-ctx.Done():
			return canceled(ctx)
		}
	}
	return nil
}

// forget frees what is left of a stage that runs no more.
func (p *Platform) forget(s *stage, ref aloft.StageRef) {
	dirs := []string{filepath.Join(p.treesDir(), ref.App, ref.Stage), p.instancesDir(ref)}
	if data := p.dataDir(ref); data != "" {
		dirs = append(dirs, data)
	}
	for _, dir := range dirs {
		if err := os.RemoveAll(dir); err != nil {
			p.Logger.Warn("remove a stage's directory", "dir", dir, "error", err)
		}
		_ = os.Remove(filepath.Dir(dir)) // the app's, if this was its last stage
	}
	if err := p.Stores.Remove(context.Background(), ref); err != nil {
		p.Logger.Warn("remove a stage's resources", "stage", ref.String(), "error", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stages[ref] == s {
		delete(p.stages, ref)
	}
}

// Route implements aloft.Platform.
func (p *Platform) Route(_ context.Context, info aloft.Stage) error {
	s, err := p.stage(info.StageRef)
	if err != nil {
		return fmt.Errorf("route %s: %w", info.StageRef, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.info = info.Clone()
	p.put(s)
	return nil
}

// Status implements aloft.Platform. It knows no URL.
func (p *Platform) Status(_ context.Context, ref aloft.StageRef) (aloft.Status, error) {
	status := aloft.Status{Stage: aloft.Stage{StageRef: ref}, Isolation: p.Engine.Isolation(), Level: int(p.Engine.Level())}
	s := p.known(ref)
	if s == nil {
		return status, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	status.Stage = s.info.Clone()
	if s.broken != "" {
		status.Instances = append(status.Instances, aloft.Instance{Release: s.release.Version, State: aloft.Crashed, Reason: s.broken})
	}
	running := s.old
	if s.now != nil {
		running = append([]*deployment{s.now}, running...)
	}
	for _, d := range running {
		for _, pool := range d.pools() {
			status.Instances = append(status.Instances, pool.Instances()...)
		}
	}
	return status, nil
}
