package aws

import (
	"context"
	"maps"
	"slices"

	"github.com/aloft-run/aloft"
)

// place is a stack of a stage.
type place struct {
	region string
	stack  owned
}

// placesOfStage are the stacks of a stage, in all regions that some release of it was to be in.
func (p *Platform) placesOfStage(ctx context.Context, ref aloft.StageRef) ([]place, error) {
	releases, err := p.Releases.Releases(ctx, ref, 0)
	if err != nil {
		return nil, ignoreMissing(err)
	}
	return placesOfReleases(releases), nil
}

// placesOfReleases are the stacks that releases of one stage are in, or were to be in.
func placesOfReleases(releases []aloft.Release) []place {
	all := map[string]place{}
	for _, release := range releases {
		if release.AWS == nil || release.Artifact.Digest == "" { // variables alone have no stack
			continue
		}
		for _, name := range release.AWS.Regions {
			at := place{name, stageStack(release)}
			all[name+" "+at.stack.stack] = at
		}
	}
	var places []place
	for _, key := range slices.Sorted(maps.Keys(all)) {
		places = append(places, all[key])
	}
	return places
}
