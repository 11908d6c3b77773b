package aws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
)

// Apply makes a release serve in all its regions; see [aloft.Platform]. Each region first gets all that does not serve yet,
// beside what serves; then the new versions of web functions are asked, and once every region is ready Apply moves the aliases. commit is called after that: what serves cannot be held back on AWS until a record is written, so a record
// that was not written is found out by [Platform.Settled]. If anything fails, regions that are ahead return to the current
// release.
func (p *Platform) Apply(ctx context.Context, release aloft.Release, report aloft.Reporter, commit func(context.Context) error) error {
	if release.Artifact.Digest == "" { // config before the first deploy
		return commit(ctx)
	}
	d, err := p.deploymentOf(ctx, release, report)
	if err != nil {
		return err
	}
	return d.apply(ctx, commit)
}

func (d *deployment) apply(ctx context.Context, commit func(context.Context) error) error {
	began, release, report := time.Now(), d.release, d.report
	report.Report(aloft.StepStarted{Step: aloft.StepStart, Text: fmt.Sprintf("v%d in %s", release.Version, strings.Join(d.names(), ", "))})
	if err := d.bring(ctx); err != nil {
		return cmp.Or(lostLock(ctx), err)
	}
	if err := d.finish(ctx, commit); err != nil {
		return cmp.Or(lostLock(ctx), err)
	}
	report.Report(aloft.StepDone{Step: aloft.StepStart, Text: fmt.Sprintf("v%d", release.Version), Elapsed: time.Since(began)})
	d.probe(ctx)
	d.tidy(context.WithoutCancel(ctx))
	return nil
}

// deployment is one release on its way to its regions.
type deployment struct {
	platform *Platform

	release aloft.Release
	current aloft.Release // what served before; zero before the first
	config  aloft.Config
	dns     map[string]string // zones of the domains
	report  aloft.Reporter
	regions []*regional
	canary  *aloft.Canary // nil: all requests at once
}

func (p *Platform) deploymentOf(ctx context.Context, release aloft.Release, report aloft.Reporter) (*deployment, error) {
	if release.AWS == nil || len(release.AWS.Regions) == 0 {
		return nil, aloft.Errorf(aloft.Invalid, "%s has no AWS region", release.StageRef).WithHint("name one in aloft.yml: regions: [eu-west-1]")
	}
	config, err := p.Unseal(ctx, release)
	if err != nil {
		return nil, fmt.Errorf("open the config of v%d: %w", release.Version, err)
	}
	d := &deployment{platform: p, release: release, config: config, report: report}
	if d.current, err = p.current(ctx, release.StageRef); err != nil {
		return nil, err
	}
	if d.dns, err = p.zones(ctx, release.AWS); err != nil {
		return nil, err
	}
	for _, name := range release.AWS.Regions {
		d.regions = append(d.regions, &regional{region: p.in(name), deployment: d})
	}
	return d, nil
}

// current is the release that a stage's record says serves; zero if there is none on AWS.
func (p *Platform) current(ctx context.Context, ref aloft.StageRef) (aloft.Release, error) {
	_, release, err := p.stageOf(ctx, ref)
	return release, err
}

// stageOf is a stage with the release that its record says serves; zero if there is none on AWS.
func (p *Platform) stageOf(ctx context.Context, ref aloft.StageRef) (stage aloft.Stage, release aloft.Release, err error) {
	if both, is := p.Releases.(interface {
		Current(ctx context.Context, ref aloft.StageRef) (aloft.Stage, aloft.Release, error)
	}); is {
		stage, release, err = both.Current(ctx, ref)
	} else if stage, err = p.Releases.Stage(ctx, ref); err == nil && stage.Current != 0 {
		release, err = p.Releases.Release(ctx, ref, stage.Current)
	}
	if release.AWS == nil || release.Artifact.Digest == "" {
		release = aloft.Release{}
	}
	return stage, release, err
}

func (d *deployment) names() []string { return d.release.AWS.Regions }

// each runs a step in all regions at once and waits for all.
func (d *deployment) each(step func(*regional) error) error {
	var steps []func() error
	for _, r := range d.regions {
		steps = append(steps, func() error { return step(r) })
	}
	return parallel(steps...)
}

// parallel runs steps at once and waits for all.
func parallel(steps ...func() error) error { return someOf(len(steps), steps) }

// someOf runs steps, up to n of them at once, and waits for all.
func someOf(n int, steps []func() error) error {
	errs := make([]error, len(steps))
	var wait sync.WaitGroup
	free := make(chan struct{}, n)
	for i, step := range steps {
		wait.Go(func() {
			free <- struct{}{}
			errs[i] = step()
			<-free
		})
	}
	wait.Wait()
	return first(errs)
}

// first is the error that matters most: others may only say that they were stopped. The others are in its detail.
func first(errs []error) error {
	errs = slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil })
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	slices.SortStableFunc(errs, func(a, b error) int { return weight(a) - weight(b) })
	if e, ok := errors.AsType[*aloft.Error](errs[0]); ok {
		return e.WithDetail(strings.TrimSpace(e.Detail + "\n" + errors.Join(errs[1:]...).Error()))
	}
	return errors.Join(errs...)
}

func weight(err error) int {
	if aloft.ErrorCode(err) == aloft.Canceled {
		return 1
	}
	return 0
}

// bring makes the release serve in all regions, or in none.
func (d *deployment) bring(ctx context.Context) error {
	err := d.each(func(r *regional) error { return r.prepare(ctx) })
	if err == nil {
		err = d.each(func(r *regional) error { return r.examine(ctx) })
	}
	if err == nil && d.canary != nil {
		err = d.tryOut(ctx)
	}
	if err == nil {
		err = d.each(func(r *regional) error { return r.move(ctx) })
	}
	if err == nil {
		err = d.each(func(r *regional) error { return r.warmUp(ctx) })
	}
	if err == nil {
		err = d.each(func(r *regional) error { return r.resume(ctx) })
	}
	if err != nil {
		d.restore(ctx)
	}
	return err
}

// finish writes down what serves, here and with commit.
func (d *deployment) finish(ctx context.Context, commit func(context.Context) error) error {
	err := d.putRecord(ctx)
	if err == nil {
		err = commit(ctx)
	}
	if err != nil {
		d.restore(ctx)
	}
	return err
}

// restore makes the current release serve again where the new one does already. The error that led here is the one to tell, so
// what goes wrong now is a warning.
func (d *deployment) restore(ctx context.Context) {
	if lostLock(ctx) != nil { // what serves is somebody else's work by now
		d.report.Report(aloft.Notice{Text: fmt.Sprintf("v%d is left as it is, since the lock was lost: %v", d.release.Version, lostLock(ctx))})
		return
	}
	interrupted := ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreLimit)
	defer cancel()
	_ = d.each(func(r *regional) error {
		if err := r.restore(ctx, interrupted); err != nil {
			d.report.Report(aloft.Warning{Text: d.notRestored(r.name, err)})
		}
		return nil
	})
}

// notRestored says what is left of a return to the current release in a region.
func (d *deployment) notRestored(region string, err error) string {
	if aloft.ErrorCode(err) == aloft.Canceled && errors.Is(err, context.DeadlineExceeded) { // nobody waits for CloudFormation any more
		return fmt.Sprintf("%s: the return of the stack to v%d takes longer than %v; CloudFormation goes on with it, and the next aloft up waits for it", region, d.current.Version, restoreLimit)
	}
	return fmt.Sprintf("%s: v%d could not be made to serve again: %v", region, d.current.Version, err)
}

// lostLock is why a deploy may not go on though nobody interrupted it: the lock of the stage is lost. nil if it is not.
func lostLock(ctx context.Context) error {
	if why, is := errors.AsType[*aloft.Error](context.Cause(ctx)); is {
		return why
	}
	return nil
}

// restoreLimit is how long a failed deploy tries to put back what served. CloudFormation may take longer.
const restoreLimit = 5 * time.Minute
