package deploy

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/buildpack"
	"github.com/aloft-run/aloft/internal/source"
)

// Build builds the source and leaves an artifact; see [aloft.Deployer].
func (d *Deployer) Build(ctx context.Context, input aloft.DeployInput, report aloft.Reporter) (aloft.Build, error) {
	project, err := d.open(input, report)
	if err != nil {
		return aloft.Build{}, err
	}
	build, unpin, err := d.build(ctx, project, input.Force, report)
	if err != nil {
		return aloft.Build{}, err
	}
	unpin()
	return build, nil
}

// build detects, builds and packages. The artifact is stored and pinned: the caller unpins it once a release names it.
func (d *Deployer) build(
	ctx context.Context, p project, force bool, report aloft.Reporter,
) (build aloft.Build, unpin func(), err error) {
	began := time.Now()
	report.Report(aloft.StepStarted{Step: aloft.StepDetect})
	src, err := source.Scan(ctx, p.dir, source.Options{Ignore: true, Drop: p.settings.Ignore, Index: d.indexFile(p.dir)})
	if err != nil {
		return build, nil, err
	}
	found, err := d.detect(p, src.FS())
	if err != nil {
		return build, nil, err
	}
	report.Report(aloft.StepDone{Step: aloft.StepDetect, Text: found.Name + " (" + found.Plan.Why + ")", Elapsed: time.Since(began)})

	job := job{project: p, plan: found.Plan, src: src}
	build = aloft.Build{Stage: p.ref, Source: src.Digest(), Buildpack: found.Name, Why: found.Plan.Why}
	if build.Functions, err = functions(p.settings, found.Plan); err != nil {
		return build, nil, err
	}
	unlock, err := d.builds.acquire(ctx, p.ref.App, "another build of "+p.ref.App+" is under way; waiting for it", report)
	if err != nil {
		return build, nil, err
	}
	defer unlock()
	if record, ok := d.recall(job.key()); ok && !force {
		unpin = d.pins.pin(record.Artifact.Digest)
		if d.Artifacts.Has(record.Artifact.Digest) {
			build.Cached, build.Elapsed = true, time.Since(began)
			record.fill(&build)
			report.Report(aloft.StepDone{Step: aloft.StepBuild, Text: "nothing changed since the last build", Elapsed: 0})
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
	archive, err := artifact.Pack(ctx, tree, artifact.PackOptions{})
	if err != nil {
		return record{}, nil, err
	}
	unpin := d.pins.pin(archive.Artifact().Digest)
	made, err := d.Artifacts.Put(ctx, archive)
	if err != nil {
		unpin()
		return record{}, nil, err
	}
	report.Report(aloft.StepDone{
		Step: aloft.StepPackage, Elapsed: time.Since(began),
		Text: fmt.Sprintf("%s, %d files, %s", made.Short(), made.Files, sized(made.Size)),
	})
	rec := record{Artifact: made, Start: job.plan.Start, Largest: tree.Largest(10)}
	d.remember(job.key(), rec)
	return rec, unpin, nil
}

// tree returns the tree to ship: the source as it is if nothing is to be built, else a private copy in which the build ran.
func (d *Deployer) tree(ctx context.Context, job *job, report aloft.Reporter) (*source.Tree, func(), error) {
	plan := job.plan
	if !job.builds() {
		tree, err := source.Scan(ctx, job.project.dir, source.Options{
			Ignore: true, Keep: plan.Keep, Drop: append(plan.Drop, job.project.settings.Ignore...), Only: plan.Ship,
			Index: d.indexFile(job.project.dir),
		})
		return tree, func() {}, err
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
	return tree, done, nil
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
	report.Report(aloft.StepDone{Step: aloft.StepBuild, Elapsed: time.Since(began)})
	return tree, nil
}

// detect asks the buildpacks, unless the manifest says everything that they would find out.
func (d *Deployer) detect(p project, src sourceFS) (buildpack.Result, error) {
	found, err := buildpack.Detect(d.Buildpacks, src)
	if err == nil {
		return found, nil
	}
	s := p.settings
	switch {
	case s.Static != nil && s.Static.Prefix == "":
		return buildpack.Result{Name: "static", Plan: buildpack.Plan{
			Why: "the manifest names a directory of files", Static: &buildpack.Static{Root: s.Static.Dir},
		}}, nil
	case s.Start != "":
		return buildpack.Result{Name: "command", Plan: buildpack.Plan{Why: "the manifest names a start command", Start: s.Start}}, nil
	}
	return found, err
}
