package deploy

import (
	"cmp"
	"context"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/source"
)

// anyRegion stands for the region that an outline does not know.
const anyRegion = "us-east-1"

// Outliner tells what a release of a source would be, without building or storing anything.
type Outliner struct {
	Buildpacks []buildpack.Buildpack
	Sources    eventsource.Set
}

// Outline is a release as far as the source says it: its functions, resources and event sources. The command of a web function
// that only a build finds out is not known. It says which functions use all resources because nothing narrows them.
func (o Outliner) Outline(ctx context.Context, input aloft.DeployInput, report aloft.Reporter) (aloft.Release, error) {
	d := &Deployer{Options: Options{Buildpacks: o.Buildpacks, Sources: o.Sources}}
	p, err := d.read(input, report)
	if err != nil {
		return aloft.Release{}, err
	}
	src, err := source.Scan(ctx, p.dir, source.Options{Ignore: true, Drop: p.settings.Ignore})
	if err != nil {
		return aloft.Release{}, err
	}
	defer func() { _ = src.Close() }()
	found, err := d.detect(p, src.FS())
	if err != nil {
		return aloft.Release{}, err
	}
	p.settings, found.Plan = withHandlers(p.settings, found.Plan, src.FS())
	r := aloft.Release{StageRef: p.ref, Kind: aloft.DeployRelease}
	if r.Resources, err = p.settings.Declared(); err != nil {
		return r, err
	}
	if r.AWS, err = p.settings.OnAWS(aloft.AWS{Regions: []string{cmp.Or(p.settings.ARNRegion(), anyRegion)}}); err != nil {
		return r, err
	}
	if r.Functions, err = d.functions(ctx, &p, found.Plan, src.FS(), report); err != nil {
		return r, err
	}
	for _, f := range r.Functions {
		if len(f.Uses) > 0 && f.Kind != aloft.Worker && p.settings.Uses == nil && p.settings.Functions[f.Name].Uses == nil {
			report.Report(aloft.Notice{Text: f.Name + " uses all resources, for it does not say which: functions." + f.Name + ".uses in aloft.yml narrows it"})
		}
	}
	return r, nil
}
