package aws

import (
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

// Seen is what a look at a stage found.
type Seen struct {
	Status aloft.Status
	Stacks []StackState  // by region
	Newest aloft.Release // what was tried last, whatever became of it; zero if nothing was
	Serves bool          // a release of the stage does
}

// shown is a stage with the release by which it is looked at.
type shown struct {
	stage   aloft.Stage
	release aloft.Release // zero: none was ever tried on AWS
	serves  bool          // it is the current one; else the newest that was tried
}

// shown finds the release that says what a stage has on AWS. Where the first deploy failed it is the one of that: its functions may
// be there, with what they printed.
func (p *Platform) shown(ctx context.Context, ref aloft.StageRef) (shown, error) {
	stage, release, err := p.stageOf(ctx, ref)
	if err != nil || release.Version != 0 {
		return shown{stage, release, true}, err
	}
	tried, err := p.Releases.Releases(ctx, ref, 0)
	if err != nil {
		return shown{}, err
	}
	for _, one := range tried {
		if one.AWS != nil && one.Artifact.Digest != "" {
			return shown{stage, one, false}, nil
		}
	}
	return shown{stage: stage}, nil
}

// Status says which versions serve. Each function in each region is one instance: Lambda tells no more.
func (p *Platform) Status(ctx context.Context, ref aloft.StageRef) (aloft.Status, error) {
	stage, release, err := p.stageOf(ctx, ref)
	if err != nil {
		return aloft.Status{}, err
	}
	if release.Version == 0 {
		return statusOfNone(stage), nil
	}
	seen, err := p.see(ctx, looking{shown: shown{stage, release, true}})
	return seen.Status, err
}

// Look is Status for people: also of a stage of which no release ever served, with the stacks, and with the versions that get a
// share of the requests.
func (p *Platform) Look(ctx context.Context, ref aloft.StageRef) (Seen, error) {
	at, err := p.shown(ctx, ref)
	if err != nil {
		return Seen{}, err
	}
	var seen Seen
	var newest []aloft.Release
	err = parallel(func() (err error) {
		newest, err = p.Releases.Releases(ctx, ref, 1)
		return err
	}, func() (err error) {
		seen, err = p.see(ctx, looking{shown: at, closely: true})
		return err
	})
	if len(newest) > 0 {
		seen.Newest = newest[0]
	}
	return seen, err
}

func statusOfNone(stage aloft.Stage) aloft.Status {
	return aloft.Status{
		Stage: stage, Isolation: "AWS Lambda: a virtual machine of its own for each instance", Level: lambdaLevel, FunctionURLs: map[string]string{},
	}
}

// looking is a look at what a release has in regions.
type looking struct {
	shown

	made    record
	regions []string
	closely bool // which versions get a share, too: a request more for each function
}

// see looks at what a release has in its regions.
func (p *Platform) see(ctx context.Context, at looking) (Seen, error) {
	release, seen := at.release, Seen{Status: statusOfNone(at.stage), Serves: at.serves}
	if release.Version == 0 {
		return seen, nil
	}
	stacks := make([]*types.Stack, len(release.AWS.Regions))
	steps := []func() error{func() (err error) {
		if at.serves { // else there is no record
			at.made, err = p.versionsOf(ctx, release)
		}
		return err
	}}
	for i, name := range release.AWS.Regions {
		steps = append(steps, func() (err error) {
			stacks[i], err = p.in(name).stackOf(ctx, StackName(release))
			return err
		})
	}
	if err := parallel(steps...); err != nil {
		return seen, err
	}
	for i, name := range release.AWS.Regions {
		seen.Stacks = append(seen.Stacks, stateOf(at.shown, name, stacks[i]))
		if at.serves || conditionOf(statusOf(stacks[i])) == whole {
			at.regions = append(at.regions, name)
		}
	}
	if at.serves {
		seen.Status.URL, seen.Status.FunctionURLs = outputOf(stacks[0], stack.OutputURL), functionURLs(release, stacks[0])
	}
	var err error
	seen.Status.Instances, err = p.instances(ctx, at)
	return seen, err
}

// instances are those of a release's functions in the regions, in order.
func (p *Platform) instances(ctx context.Context, at looking) ([]aloft.Instance, error) {
	functions := lambdaFunctions(at.release)
	all := make([][]aloft.Instance, len(at.regions)*len(functions))
	var regions []func() error
	for i, name := range at.regions {
		var steps []func() error
		for j, f := range functions {
			steps = append(steps, func() (err error) {
				all[i*len(functions)+j], err = p.in(name).instancesOf(ctx, at, f)
				return err
			})
		}
		regions = append(regions, func() error { return someOf(atOnce, steps) })
	}
	err := parallel(regions...)
	return slices.Concat(all...), err
}

// instancesOf are the version of a function that its alias leads to, and those that get a share of what it gets.
func (r *region) instancesOf(ctx context.Context, at looking, f aloft.Function) ([]aloft.Instance, error) {
	main, err := r.instance(ctx, at.release, f, at.made.Regions[r.name].Versions[f.Name])
	if err != nil || !at.closely {
		return []aloft.Instance{main}, err
	}
	others, err := r.shares(ctx, at.release.NameOf(f), &main)
	return append([]aloft.Instance{main}, others...), err
}

// shares are the versions that get a share of a function's requests while they are tried. Main, which gets the rest, is told so.
func (r *region) shares(ctx context.Context, function string, main *aloft.Instance) ([]aloft.Instance, error) {
	alias, err := r.alias(ctx, function)
	if err != nil || alias == nil || alias.RoutingConfig == nil {
		return nil, err
	}
	var all []aloft.Instance
	rest, weights := 1.0, alias.RoutingConfig.AdditionalVersionWeights
	for _, version := range slices.Sorted(maps.Keys(weights)) {
		config, err := r.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &function, Qualifier: &version})
		if err != nil && !is(err, noResource) {
			return nil, r.Session.explain(err, "look at version "+version+" of "+function+" in "+r.name)
		}
		one := aloft.Instance{ID: r.name + "/" + function + ":" + version, Function: main.Function, State: main.State, Share: weights[version]}
		if err == nil {
			one.Release, _ = strconv.Atoi(strings.TrimPrefix(sdk.ToString(config.Description), "v")) // 0: nobody knows
			one.StartedAt = lastModified(sdk.ToString(config.LastModified))
		}
		rest -= weights[version]
		all = append(all, one)
	}
	if len(all) > 0 {
		const digits = 1e6
		main.Share = math.Round(rest*digits) / digits
	}
	return all, nil
}
