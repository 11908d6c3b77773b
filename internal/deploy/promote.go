package deploy

import (
	"context"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/manifest"
)

var _ aloft.Promoter = (*Deployer)(nil)

// Promote makes a release of one stage one of another; see [aloft.Promoter].
func (d *Deployer) Promote(ctx context.Context, input aloft.PromoteInput, report aloft.Reporter) (aloft.Deployment, error) {
	began := time.Now()
	if err := d.checkPromotion(input); err != nil {
		return aloft.Deployment{}, err
	}
	project, err := d.promotedProject(input, report)
	if err != nil {
		return aloft.Deployment{}, err
	}
	from, err := d.source(ctx, input)
	if err != nil {
		return aloft.Deployment{}, err
	}
	unpin, err := d.bring(ctx, from, input.Packages)
	if err != nil {
		return aloft.Deployment{}, err
	}
	defer unpin()
	ctx, unlock, err := d.lockStage(ctx, input.To, report)
	if err != nil {
		return aloft.Deployment{}, err
	}
	defer unlock()
	if err := d.checkRequired(ctx, project); err != nil {
		return aloft.Deployment{}, err
	}
	state, err := d.ensure(ctx, input.To)
	if err != nil {
		return aloft.Deployment{}, err
	}
	next, err := d.promotion(ctx, promotion{PromoteInput: input, project: project, from: from, state: state})
	if err != nil {
		return aloft.Deployment{}, err
	}
	tellMissing(from, state, report)
	if same(state.current, next) {
		if deployment, err := d.unchanged(ctx, state, report); deployment.Unchanged {
			deployment.Elapsed = time.Since(began)
			return deployment, err
		}
	}
	announceResources(d.resourceDiff(input.To, state.current.Resources, next.Resources), report)
	deployment, err := d.release(ctx, state, next, project.hooks(state.current.Artifact.Digest == "").gradually(input.Canary), report)
	deployment.Elapsed = time.Since(began)
	return deployment, err
}

func (d *Deployer) checkPromotion(input aloft.PromoteInput) error {
	for _, ref := range []aloft.StageRef{input.From, input.To} {
		if err := ref.Check(); err != nil {
			return err
		}
	}
	switch {
	case input.From.App != input.To.App:
		return aloft.Errorf(aloft.Invalid, "%s and %s are of two apps", input.From, input.To).WithHint("promote from one stage of an app to another")
	case input.From == input.To:
		return aloft.Errorf(aloft.Invalid, "%s cannot be promoted to itself", input.From).WithHint("name another stage: aloft promote staging production")
	}
	return d.checkCanary(input.Canary)
}

// promotedProject is what the source directory says of the stage that is promoted to; nothing without one.
func (d *Deployer) promotedProject(input aloft.PromoteInput, report aloft.Reporter) (project, error) {
	if input.Dir == "" {
		return project{ref: input.To}, nil
	}
	return d.open(aloft.DeployInput{Stage: input.To, Dir: input.Dir, Platform: input.Platform}, report)
}

// Promotable is a release that can be promoted; see [aloft.Promoter].
func (d *Deployer) Promotable(ctx context.Context, ref aloft.StageRef, version int) (aloft.Release, error) {
	state, err := d.deployed(ctx, ref)
	if aloft.ErrorCode(err) == aloft.NotFound {
		return aloft.Release{}, aloft.Errorf(aloft.NotFound, "nothing is deployed to %s", ref).WithHint("deploy it first: aloft up %s", ref.Stage)
	}
	if err != nil {
		return aloft.Release{}, err
	}
	from := state.current
	if version != 0 && version != from.Version {
		from, err = d.find(ctx, state, version)
	}
	switch {
	case err != nil:
	case from.Status != aloft.Succeeded:
		err = aloft.Errorf(aloft.Invalid, "v%d never served: %s", from.Version, from.Reason).WithHint("choose a release that did: aloft releases %s", ref.Stage)
	case from.Artifact.Digest == "":
		err = aloft.Errorf(aloft.Invalid, "v%d holds config only", from.Version).WithHint("choose a release with code: aloft releases %s", ref.Stage)
	}
	from = from.Clone()
	for name := range from.Config.Values {
		from.Config.Values[name] = nil
	}
	return from, err
}

// source is the release to promote.
func (d *Deployer) source(ctx context.Context, input aloft.PromoteInput) (aloft.Release, error) {
	if input.Release != nil {
		return input.Release.Clone(), nil
	}
	return d.Promotable(ctx, input.From, input.Version)
}

// bring puts a release's artifacts into the store and keeps them from being collected until unpin is called.
func (d *Deployer) bring(ctx context.Context, from aloft.Release, packages map[string]string) (unpin func(), err error) {
	var pinned []func()
	unpin = func() {
		for _, one := range pinned {
			one()
		}
	}
	for _, digest := range from.Digests() {
		pinned = append(pinned, d.pins.pin(digest))
		if err := d.bringOne(ctx, digest, packages[digest]); err != nil {
			unpin()
			return nil, err
		}
	}
	return unpin, nil
}

func (d *Deployer) bringOne(ctx context.Context, digest, file string) error {
	switch {
	case d.Artifacts.Has(digest):
		return nil
	case file != "":
		body, err := os.Open(file)
		if err != nil {
			return aloft.Errorf(aloft.Invalid, "the package cannot be read: %w", err)
		}
		defer func() { _ = body.Close() }() // read-only
		return d.Artifacts.Import(ctx, digest, body)
	case d.Fetch != nil:
		return d.Fetch(ctx, digest)
	}
	return aloft.Errorf(aloft.NotFound, "the artifact %s is missing", aloft.Artifact{Digest: digest}.Short()).WithHint("deploy again with --force to make it anew")
}

// promotion is a release of one stage on its way to another one.
type promotion struct {
	aloft.PromoteInput

	project project
	from    aloft.Release
	state   state
}

// promotion is the release that it makes.
func (d *Deployer) promotion(ctx context.Context, p promotion) (aloft.Release, error) {
	shape := p.from.Clone()
	sealed, err := d.generated(p.state, p.project)
	if err != nil {
		return aloft.Release{}, err
	}
	next := aloft.Release{
		StageRef: p.To, Kind: aloft.PromoteRelease, Artifact: shape.Artifact, Source: shape.Source, Buildpack: shape.Buildpack, Functions: shape.Functions,
		Resources: shape.Resources, Config: sealed, Tuning: p.state.current.Clone().Tuning, Author: p.Author, Commit: shape.Commit, Description: p.Description,
	}
	for i, f := range next.Functions {
		next.Functions[i] = restaged(f, p.From.Stage, p.To.Stage)
	}
	if next.Description == "" {
		next.Description = fmt.Sprintf("promoted from %s v%d", p.From.Stage, p.from.Version)
	}
	if err := d.allowed(ctx, p.To, next.Functions...); err != nil {
		return next, err
	}
	return next, d.placePromoted(ctx, &next, p)
}

// restaged is a function with what depends on the name of its stage alone as the other stage has it; see [settings].
func restaged(f aloft.Function, from, to string) aloft.Function {
	if f.Env["UP_STAGE"] == from {
		f.Env = maps.Clone(f.Env)
		f.Env["UP_STAGE"] = to
	}
	if f.Name == manifest.WebFunction && f.Idle == idleTime && from != aloft.Production && to == aloft.Production {
		f.Idle = 0
	}
	return f
}

// placePromoted says where a promoted release runs: as the stage did before, else as its source says. It returns Invalid if its
// machine code cannot run there.
func (d *Deployer) placePromoted(ctx context.Context, next *aloft.Release, p promotion) error {
	if d.AWS == nil {
		return d.runsHere(ctx, next.Artifact)
	}
	if p.state.current.AWS == nil || p.state.current.Artifact.Digest == "" { // variables alone know no settings
		return d.place(ctx, next, p.project, p.state.stage)
	}
	next.Platform, next.AWS = aloft.OnAWS, p.state.current.AWS.Clone()
	next.AWS.Domains = domainsOf(p.state.stage)
	if _, err := d.architecture(ctx, next.Artifact, next.AWS.Architecture); err != nil {
		return err
	}
	return d.fit(next)
}

// runsHere returns Invalid if an artifact's machine code is for other machines than this one.
func (d *Deployer) runsHere(ctx context.Context, made aloft.Artifact) error {
	here, known := map[string]string{"amd64": aloft.X8664, "arm64": aloft.ARM64}[runtime.GOARCH]
	code, err := d.Artifacts.Machines(ctx, made.Digest)
	if _, fits := code[here]; err != nil || fits || !known || len(code) == 0 {
		return err
	}
	other := slices.Sorted(maps.Keys(code))[0]
	return aloft.Errorf(aloft.Invalid, "the package holds programs for %s only, and this machine is %s: %s", other, here, code[other]).
		WithHint("build it here: aloft up; aloft builds Go for both when aws.architecture says so")
}

// tellMissing warns of variables that the promoted release had and the stage lacks.
func tellMissing(from aloft.Release, state state, report aloft.Reporter) {
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(from.Config.Values)) {
		if _, set := state.config[name]; !set {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		to := state.stage.Stage
		report.Report(aloft.Warning{Text: fmt.Sprintf("%s lacks variables that %s has: %s. Set them: aloft config set %s=… --stage %s",
			to, from.Stage, strings.Join(missing, ", "), missing[0], to)})
	}
}
