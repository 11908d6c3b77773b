package deploy

import (
	"context"

	"github.com/aloft-run/aloft"
)

// Draft is a release that was not made.
type Draft struct {
	Release aloft.Release // without a number and a config; its artifacts are in the store
	Build   aloft.Build
	Config  []string // names of variables that the app declares and gives no value
}

// Draft builds the source and returns the release that Deploy would make for a stage that has had none. It records nothing.
func (d *Deployer) Draft(ctx context.Context, input aloft.DeployInput, report aloft.Reporter) (Draft, error) {
	project, err := d.open(input, report)
	if err != nil {
		return Draft{}, err
	}
	build, unpin, err := d.build(ctx, &project, input.Force, report)
	if err != nil {
		return Draft{}, err
	}
	defer unpin()
	resources, err := project.settings.Declared()
	if err != nil {
		return Draft{}, err
	}
	draft := Draft{Build: build, Release: aloft.Release{
		StageRef: project.ref, Kind: aloft.DeployRelease, Resources: resources, Artifact: build.Artifact, Source: build.Source,
		Buildpack: build.Buildpack, Functions: build.Functions, Author: input.Author, Commit: input.Commit,
	}}
	for _, v := range project.settings.Required {
		draft.Config = append(draft.Config, v.Name)
	}
	return draft, d.place(ctx, &draft.Release, project, aloft.Stage{})
}
