package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

// ApplyGradually is [Platform.Apply] with a trial: for a time the release gets a share of requests and events, in all its regions,
// while what the current release has goes on serving. If an alarm of the stack goes off, or the release's own versions fail, all of
// it is taken back and the error says why. A release that is the first of its stage has nothing beside it and gets all at once.
func (p *Platform) ApplyGradually(
	ctx context.Context, release aloft.Release, canary aloft.Canary, report aloft.Reporter, commit func(context.Context) error,
) error {
	d, err := p.deploymentOf(ctx, release, report)
	if err != nil {
		return err
	}
	if d.current.Version == 0 {
		report.Report(aloft.Notice{Text: fmt.Sprintf("nothing serves yet beside which v%d could be tried: it gets all requests", release.Version)})
		return d.apply(ctx, commit)
	}
	if err := d.keepsFunctions(); err != nil {
		return err
	}
	d.canary = &canary
	return d.apply(ctx, commit)
}

// keepsFunctions returns Invalid if the release lacks a function that the current one has: the stack would lose it though
// requests that stay with the current release need it.
func (d *deployment) keepsFunctions() error {
	has := lambdaFunctions(d.release)
	for _, f := range lambdaFunctions(d.current) {
		if !slices.ContainsFunc(has, func(other aloft.Function) bool { return other.Name == f.Name }) {
			return aloft.Errorf(aloft.Invalid, "v%d has no function %s, which the requests that stay with v%d need: that cannot be tried in part", d.release.Version, f.Name, d.current.Version).
				WithHint("release it without --canary, or drop the function in a release of its own later")
		}
	}
	return nil
}

// updateBeside makes the stack what the release needs, but for the aliases: they go on leading to the versions that serve.
func (r *regional) updateBeside(ctx context.Context, found *types.Stack) error {
	in := r.input
	in.Held = r.serving
	if err := r.compose(in); err != nil {
		return err
	}
	if r.canary != nil {
		if err := r.tellShared(ctx, found); err != nil {
			return err
		}
	}
	if err := r.update(ctx, found); err != nil {
		return err
	}
	r.held = true
	return r.findVersions(ctx)
}

// findVersions finds the versions that the stack's update published.
func (r *regional) findVersions(ctx context.Context) error {
	r.moves = map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(r.out.Functions)) {
		version, err := r.versionIn(ctx, StackName(r.release), r.out.Functions[name].Version)
		if err != nil {
			return err
		}
		r.moves[name] = version
	}
	return nil
}

// tryOut gives the release its share in all regions and watches what comes of it.
func (d *deployment) tryOut(ctx context.Context) error {
	began := time.Now()
	for _, step := range []func(*regional, context.Context) error{(*regional).beginTrial, (*regional).weigh} {
		if err := d.each(func(r *regional) error { return step(r, ctx) }); err != nil {
			return err
		}
	}
	length := time.Duration(d.canary.For)
	text := fmt.Sprintf("v%d gets %s of what v%d gets, for %v", d.release.Version, percent(d.canary.Share), d.current.Version, length)
	d.report.Report(aloft.Notice{Text: text + ", until " + clock(began.Add(length))})
	d.report.Report(aloft.StepStarted{Step: aloft.StepCanary, Text: text})
	if err := d.watch(ctx, began.Add(length)); err != nil {
		return err
	}
	d.report.Report(aloft.StepDone{Step: aloft.StepCanary, Text: text + ": no alarm", Elapsed: time.Since(began)})
	return nil
}

// clock is a time of this machine, with the day if that is not today.
func clock(at time.Time) string {
	at = at.Local()
	if at.Format(time.DateOnly) == time.Now().Format(time.DateOnly) {
		return at.Format(time.TimeOnly)
	}
	return at.Format(time.DateTime)
}

func percent(share float64) string { return fmt.Sprintf("%.4g %%", 100*share) }

// looksApart is after how many of Platform's pauses a trial is looked at again.
const looksApart = 5

// watch looks at all regions until the end of the trial, and at its end.
func (d *deployment) watch(ctx context.Context, end time.Time) error {
	for {
		if err := d.each(func(r *regional) error { return r.judge(ctx) }); err != nil {
			return err
		}
		left := time.Until(end)
		if left <= 0 {
			return nil
		}
		d.report.Report(aloft.Output{Step: aloft.StepCanary, Text: fmt.Sprintf("no alarm; %v left", left.Round(time.Second))})
		if err := rest(ctx, min(left, looksApart*d.platform.Poll)); err != nil {
			return d.platform.Session.explain(err, fmt.Sprintf("try v%d", d.release.Version))
		}
	}
}

// weigh gives the release's versions their share of what their aliases lead to.
func (r *regional) weigh(ctx context.Context) error {
	for _, name := range r.tried() {
		if err := r.share(ctx, r.out.Functions[name].Lambda, r.serving[name], map[string]float64{r.moves[name]: r.canary.Share}); err != nil {
			return err
		}
	}
	return nil
}

// tried are the functions that have another version now. Functions that are new have no other, and serve already.
func (r *regional) tried() []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(r.moves)) {
		if r.serving[name] != "" && r.serving[name] != r.moves[name] {
			all = append(all, name)
		}
	}
	return all
}

// share has an alias lead to a version, and to others for their weights.
func (r *regional) share(ctx context.Context, function, version string, weights map[string]float64) error {
	_, err := r.lambda.UpdateAlias(ctx, &lambda.UpdateAliasInput{
		FunctionName: &function, Name: sdk.String(stack.Live), FunctionVersion: &version,
		RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: weights},
	})
	return r.Session.explain(err, "give the new version of "+function+" in "+r.name+" a share of its requests")
}

// PutBack makes the current release of a stage serve alone again, where the run that deployed another one ended halfway: in the
// middle of a trial, or between two regions. Where nothing was begun it does nothing.
func (p *Platform) PutBack(ctx context.Context, release aloft.Release, report aloft.Reporter) error {
	current, err := p.current(ctx, release.StageRef)
	if err != nil || current.Version == 0 || release.AWS == nil || release.Artifact.Digest == "" {
		return err
	}
	made, err := p.versionsOf(ctx, current)
	if err != nil {
		return err
	}
	d, err := p.deploymentOf(ctx, current, report)
	if err != nil {
		return err
	}
	return d.each(func(r *regional) error {
		if err := r.leadBack(ctx, made.Regions[r.name].Versions, release); err != nil {
			return err
		}
		if err := r.stackBack(ctx, release); err != nil { // no reason not to deploy what comes next
			report.Report(aloft.Warning{Text: fmt.Sprintf("%s: the stack has what %s needs, and could not be made that of %s again: %v", r.name, title(release), title(current), err)})
		}
		return nil
	})
}

// leadBack leads the aliases to the versions that the current release had, and to no others.
func (r *regional) leadBack(ctx context.Context, recorded map[string]string, other aloft.Release) error {
	moved := false
	for _, f := range lambdaFunctions(r.release) {
		function := r.release.NameOf(f)
		alias, err := r.alias(ctx, function)
		if err != nil {
			return err
		}
		if alias == nil {
			continue
		}
		version := recorded[f.Name]
		if version == "" {
			version = sdk.ToString(alias.FunctionVersion)
		}
		if leadsTo(alias, version) {
			continue
		}
		if err := r.point(ctx, pointer{function, version, title(r.release)}, alias); err != nil {
			return err
		}
		moved = true
	}
	if moved {
		r.report.Report(aloft.Notice{Text: fmt.Sprintf("%s: %s serves alone again; the deploy of %s ended halfway", r.name, title(r.release), title(other))})
	}
	return nil
}

// stackBack makes a stack that is another release's the current one's again.
func (r *regional) stackBack(ctx context.Context, other aloft.Release) error {
	found, err := r.stackOf(ctx, StackName(r.release))
	if err != nil || found == nil || conditionOf(found.StackStatus) != whole || outputOf(found, stack.OutputRelease) != title(other) {
		return err
	}
	r.report.Report(aloft.Notice{Text: fmt.Sprintf("%s: the stack has what %s needed; it is made that of %s again", r.name, title(other), title(r.release))})
	if err := r.prepare(ctx); err != nil {
		return err
	}
	return r.move(ctx)
}
