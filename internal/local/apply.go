package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/function"
)

// Apply implements aloft.Platform.
func (p *Platform) Apply(ctx context.Context, release aloft.Release, report aloft.Reporter, commit func(context.Context) error) error {
	ctx, s, leave, err := p.enter(ctx, release.StageRef)
	if err != nil {
		return err
	}
	defer leave()
	if release.Artifact.Digest == "" { // config before the first deploy: nothing to run
		return p.record(ctx, s, release, commit)
	}
	start := &start{report: report, began: time.Now(), version: release.Version}
	start.begin()
	d, err := p.deploy(ctx, release)
	if err != nil {
		return err
	}
	if err = p.change(ctx, s, d, start, commit); err != nil {
		d.discard()
		p.restoreOptions(ctx, s)
	}
	return err
}

// change starts d beside what serves, or in its place if there is no other way.
func (p *Platform) change(ctx context.Context, s *stage, d *deployment, start *start, commit func(context.Context) error) error {
	old := s.current()
	if d.web == nil || !old.runsWeb() {
		return p.beside(ctx, s, d, start, commit)
	}
	addr := old.web.Insists()
	if addr == nil {
		err := p.beside(ctx, s, d, start, commit)
		if !stoodInTheWay(err, d.release.StageRef) || ctx.Err() != nil {
			return err
		}
		d.renew()
		start.begin()
	}
	if err := s.awaitOld(ctx); err != nil { // those that still finish requests may hold the port too
		return err
	}
	start.report.Report(aloft.Notice{Text: inPlace(d.web.Function.Name, addr)})
	return p.replace(ctx, s, d, start, commit)
}

// inPlace explains to the user why a release does not start beside what serves.
func inPlace(name string, addr net.Addr) string {
	wants := "a port or socket of its own choice"
	if addr != nil {
		wants = addr.String()
	}
	return fmt.Sprintf("%s listens on %s, not only on $PORT: the running instance ends before the new one starts, requests wait meanwhile", name, wants)
}

// record makes a release that runs nothing the stage's current one.
func (p *Platform) record(ctx context.Context, s *stage, release aloft.Release, commit func(context.Context) error) error {
	if err := p.commit(ctx, commit); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release = release.Clone()
	return nil
}

func (p *Platform) commit(ctx context.Context, commit func(context.Context) error) error {
	if ctx.Err() != nil {
		return canceled(ctx)
	}
	return commit(ctx)
}

// beside starts d while the old release serves, and switches when it is ready.
func (p *Platform) beside(ctx context.Context, s *stage, d *deployment, start *start, commit func(context.Context) error) error {
	if err := d.start(ctx, start); err != nil {
		return err
	}
	if err := p.commit(ctx, commit); err != nil {
		return err
	}
	p.switchTo(s, d)
	return nil
}

// switchTo makes d serve and lets what served before finish in the background.
func (p *Platform) switchTo(s *stage, d *deployment) {
	old := p.serves(s, d)
	d.work()
	if old.runsWeb() && d.web == nil {
		// Requests that found the old route but no instance yet cannot follow to a release without instances.
		old.linger = routeTime
	}
	p.retire(s, old)
}

// routeTime is far longer than a request takes from its route to its instance.
const routeTime = 250 * time.Millisecond

// start starts the web function and returns once it is ready.
func (d *deployment) start(ctx context.Context, start *start) error {
	if err := d.startHandlers(ctx); err != nil {
		return err
	}
	if d.web == nil && len(d.handlers) > 0 {
		start.started(count(len(d.handlers), "handler function"))
		start.ready("initialised")
		return nil
	}
	if d.web == nil {
		start.started("nothing to start")
		start.ready("static files")
		return nil
	}
	name := d.web.Function.Name
	err := d.web.Start(ctx, func() { start.started(fmt.Sprintf("%s, %s", name, count(len(d.web.Instances()), "instance"))) })
	if err != nil {
		return err
	}
	start.ready(fmt.Sprintf("%s listens on %s", name, d.web.Instances()[0].Listen))
	return nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (d *deployment) runsWeb() bool { return d != nil && d.web != nil }

// stoodInTheWay reports whether a start failed because the stage's own running instances hold a port. Some programs do not
// say which one they wanted; then it is the likeliest.
func stoodInTheWay(err error, ref aloft.StageRef) bool {
	taken, ok := errors.AsType[*function.PortTaken](err)
	return ok && (taken.Stage == ref || taken.Port == 0)
}

// start tells the progress of a start.
type start struct {
	report  aloft.Reporter
	version int
	began   time.Time
}

func (s *start) begin() {
	s.report.Report(aloft.StepStarted{Step: aloft.StepStart, Text: fmt.Sprintf("v%d", s.version)})
}

func (s *start) started(text string) {
	s.report.Report(aloft.StepDone{Step: aloft.StepStart, Text: text, Elapsed: time.Since(s.began)})
	s.began = time.Now()
	s.report.Report(aloft.StepStarted{Step: aloft.StepReady})
}

func (s *start) ready(text string) {
	s.report.Report(aloft.StepDone{Step: aloft.StepReady, Text: text, Elapsed: time.Since(s.began)})
}
