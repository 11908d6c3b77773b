package deploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/buildpack"
	"github.com/aloft-run/aloft/internal/manifest"
	"github.com/aloft-run/aloft/internal/source"
)

// Build builds the source and leaves an artifact; see [aloft.Deployer].
func (d *Deployer) Build(ctx context.Context, input aloft.DeployInput, report aloft.Reporter) (aloft.Build, error) {
	project, err := d.open(input, report)
	if err != nil {
		return aloft.Build{}, err
	}
	build, unpin, err := d.build(ctx, &project, input.Force, report)
	if err != nil {
		return aloft.Build{}, err
	}
	unpin()
	return build, nil
}

// build detects, builds and packages. The artifact is stored and pinned: the caller unpins it once a release names it. A
// Procfile's release line joins the project's predeploy hooks.
func (d *Deployer) build(
	ctx context.Context, p *project, force bool, report aloft.Reporter,
) (build aloft.Build, unpin func(), err error) {
	began := time.Now()
	report.Report(aloft.StepStarted{Step: aloft.StepDetect})
	src, err := source.Scan(ctx, p.dir, source.Options{Ignore: true, Drop: p.settings.Ignore, Index: d.indexFile(p.dir)})
	if err != nil {
		return build, nil, err
	}
	defer func() { _ = src.Close() }()
	found, err := d.detect(*p, src.FS())
	if err != nil {
		return build, nil, err
	}
	p.settings, found.Plan = withHandlers(p.settings, found.Plan, src.FS())
	report.Report(aloft.StepDone{Step: aloft.StepDetect, Text: found.Name + " (" + found.Plan.Why + ")", Elapsed: time.Since(began)})

	job := job{project: *p, plan: found.Plan, src: src, machine: d.machine(p.settings)}
	if plan := found.Plan; !job.builds() && len(plan.Keep)+len(plan.Drop)+len(plan.Ship) > 0 {
		if job.src, err = d.shipped(ctx, *p, found.Plan); err != nil {
			return build, nil, err
		}
		defer func() { _ = job.src.Close() }()
	}
	build = aloft.Build{
		Stage: p.ref, Source: job.src.Digest(), Buildpack: found.Name, Why: found.Plan.Why, Verdicts: explain(found.Verdicts),
	}
	if build.Functions, err = d.functions(ctx, p, found.Plan, src.FS(), report); err != nil {
		return build, nil, err
	}
	unlock, err := d.lockBuild(ctx, p.ref.App, report)
	if err != nil {
		return build, nil, err
	}
	defer unlock()
	if record, ok := d.recall(job.key()); ok && !force {
		unpin = d.pins.pin(record.Artifact.Digest)
		if d.Artifacts.Has(record.Artifact.Digest) {
			build.Cached, build.Elapsed = true, time.Since(began)
			record.fill(&build)
			report.Report(aloft.StepDone{Step: aloft.StepBuild, Text: "not needed, this was built before", Elapsed: 0})
			return build, unpin, nil
		}
		unpin()
	}
	record, unpin, err := d.make(ctx, job, report)
	if err != nil {
		return build, nil, err
	}
	record.fill(&build)
	build.Elapsed = time.Since(began)
	return build, unpin, nil
}

// make carries out a job: it runs the build, packages the tree, stores the artifact, and remembers what came of it.
func (d *Deployer) make(ctx context.Context, job job, report aloft.Reporter) (record, func(), error) {
	tree, done, err := d.tree(ctx, &job, report)
	if err != nil {
		return record{}, nil, err
	}
	defer done()
	began := time.Now()
	report.Report(aloft.StepStarted{Step: aloft.StepPackage})
	warnOfEnvFiles(tree, report)
	archive, err := artifact.Pack(ctx, tree, artifact.PackOptions{Store: d.Artifacts, Reuse: d.previous(ctx, job.project.ref)})
	if err != nil {
		return record{}, nil, err
	}
	unpin := d.pins.pin(archive.Artifact().Digest)
	made, err := d.Put(ctx, archive)
	if err != nil {
		unpin()
		return record{}, nil, err
	}
	report.Report(aloft.StepDone{
		Step: aloft.StepPackage, Elapsed: time.Since(began),
		Text: describe(made),
	})
	rec := record{Artifact: made, Start: job.plan.Start, Largest: tree.Largest(10)}
	d.remember(job.key(), rec)
	return rec, unpin, nil
}

// shipped is the tree of an app that needs no build: its source, without what the plan leaves out and with what it keeps.
func (d *Deployer) shipped(ctx context.Context, p project, plan buildpack.Plan) (*source.Tree, error) {
	return source.Scan(ctx, p.dir, source.Options{
		Ignore: true, Keep: plan.Keep, Drop: slices.Concat(plan.Drop, p.settings.Ignore), Only: plan.Ship, Index: d.indexFile(p.dir),
	})
}

func explain(found []buildpack.Verdict) []aloft.Verdict {
	all := make([]aloft.Verdict, len(found))
	for i, v := range found {
		all[i] = aloft.Verdict(v)
	}
	return all
}

// previous is the digest of the artifact that the stage serves, from which Pack takes what did not change; "" if none.
func (d *Deployer) previous(ctx context.Context, ref aloft.StageRef) string {
	stage, err := d.Apps.Stage(ctx, ref)
	if err != nil || stage.Current == 0 {
		return ""
	}
	release, err := d.Apps.Release(ctx, ref, stage.Current)
	if err != nil {
		return ""
	}
	return release.Artifact.Digest
}

// tree returns the tree to ship: the source as it is if nothing is to be built, else a private copy in which the build ran.
func (d *Deployer) tree(ctx context.Context, job *job, report aloft.Reporter) (*source.Tree, func(), error) {
	if !job.builds() {
		return job.src, func() {}, nil
	}
	if err := os.MkdirAll(d.buildsDir(), 0o700); err != nil {
		return nil, nil, fmt.Errorf("make the build directory: %w", err)
	}
	dir, err := os.MkdirTemp(d.buildsDir(), job.project.ref.App+"-")
	if err != nil {
		return nil, nil, fmt.Errorf("make the build directory: %w", err)
	}
	// The copy lies one level down so that a build finds nothing of ours beside its files.
	app := filepath.Join(dir, "app")
	done := func() {
		d.runClean(ctx, job, app, report)
		_ = os.RemoveAll(dir)
	}
	tree, err := d.buildIn(ctx, job, app, report)
	if err != nil {
		done()
		return nil, nil, err
	}
	return tree, func() {
		_ = tree.Close()
		done()
	}, nil
}

func (d *Deployer) buildIn(ctx context.Context, job *job, app string, report aloft.Reporter) (*source.Tree, error) {
	began := time.Now()
	report.Report(aloft.StepStarted{Step: aloft.StepBuild})
	if err := job.src.Copy(ctx, app); err != nil {
		return nil, err
	}
	if err := d.runSteps(ctx, job, job.steps(), app, report); err != nil {
		return nil, err
	}
	if job.plan.Resolve != nil {
		start, err := job.plan.Resolve(os.DirFS(app))
		if err != nil {
			return nil, err
		}
		job.plan.Start = start
	}
	tree, err := source.Scan(ctx, app, source.Options{Keep: job.plan.Keep, Drop: job.plan.Drop, Only: job.plan.Ship})
	if err != nil {
		return nil, err
	}
	report.Report(aloft.StepDone{Step: aloft.StepBuild, Text: stepNames(job.steps()), Elapsed: time.Since(began)})
	return tree, nil
}

// Detect returns Invalid for a source that Deploy would not know what to do with. Nothing is made.
func (d *Deployer) Detect(ctx context.Context, input aloft.DeployInput) error {
	project, err := d.open(input, aloft.Discard{})
	if err != nil {
		return err
	}
	src, err := source.Scan(ctx, project.dir, source.Options{Ignore: true, Drop: project.settings.Ignore, Index: d.indexFile(project.dir)})
	if err != nil {
		return err
	}
	_, err = d.detect(project, src.FS())
	return errors.Join(err, src.Close())
}

// detect asks the buildpacks, unless the manifest says everything that they would find out.
func (d *Deployer) detect(p project, src fs.FS) (buildpack.Result, error) {
	found, err := buildpack.Detect(d.Buildpacks, src)
	if err == nil {
		return found, nil
	}
	switch s := p.settings; {
	case s.Static != nil && s.Static.Only:
		found.Name, found.Plan.Why = "static", "the manifest names a directory of files"
	case s.Function(manifest.WebFunction).Command == "" && handles(s, found.Plan, src):
		if found.Name == "" {
			found.Name, found.Plan.Why = "handlers", "the manifest names handlers"
		}
		return found, nil
	case s.Function(manifest.WebFunction).Command == "":
		return found, err
	case found.Name == "":
		found.Name, found.Plan.Why = "command", "the manifest names a start command"
	}
	return found, nil
}
