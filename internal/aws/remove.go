package aws

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/foreign"
)

// Remove deletes the stage's stacks in all regions and what is beside them; its stores stay. See [Platform.Destroy].
func (p *Platform) Remove(ctx context.Context, ref aloft.StageRef) error {
	_, err := p.Destroy(ctx, ref, false, aloft.Discard{})
	return err
}

// Destroy deletes the stage's stacks in all regions it was ever in, its secret, its logs and its records. Stores stay, and are
// listed, unless deleteData says that they go with what is in them: all but what the section cloudformation retains. Destroying what is
// not there is harmless.
func (p *Platform) Destroy(ctx context.Context, ref aloft.StageRef, deleteData bool, report aloft.Reporter) ([]Retained, error) {
	places, err := p.placesOfStage(ctx, ref)
	if err != nil {
		return nil, err
	}
	functions, err := p.functionsOf(ctx, ref)
	if err != nil {
		return nil, err
	}
	if deleteData {
		if err := p.giveUp(ctx, ref, report); err != nil {
			return nil, err
		}
	}
	ended := map[string]map[string]types.StackEvent{} // by regions
	for _, at := range places {
		became, err := p.in(at.region).remove(ctx, removal{stack: at.stack, functions: functions, deleteData: deleteData}, report)
		if err != nil {
			return nil, err
		}
		if ended[at.region] == nil {
			ended[at.region] = map[string]types.StackEvent{}
		}
		maps.Copy(ended[at.region], became)
	}
	regions := slices.Sorted(maps.Keys(ended))
	var left []Retained
	for _, name := range regions {
		r := p.in(name)
		stores, err := r.retained(ctx, ref.String(), stageTags(ref))
		if err != nil {
			return left, err
		}
		left = append(left, r.stay(stores, ended[name])...)
	}
	for _, store := range left {
		report.Report(aloft.Notice{Text: fmt.Sprintf("%s: stays: %s", store.Region, store.ARN)})
	}
	return left, p.forget(ctx, ref, regions)
}

// stay are the stores that outlived a stack: those with its tags, and those that its deletion left. AWS finds things by their tags
// for a while after they are gone, and knows some only later.
func (r *region) stay(tagged []Retained, ended map[string]types.StackEvent) []Retained {
	all := slices.DeleteFunc(tagged, func(store Retained) bool {
		return ended[store.Logical].ResourceStatus == types.ResourceStatusDeleteComplete
	})
	for _, id := range slices.Sorted(maps.Keys(ended)) {
		kind, physical := sdk.ToString(ended[id].ResourceType), sdk.ToString(ended[id].PhysicalResourceId)
		known := slices.ContainsFunc(all, func(store Retained) bool { return store.Logical == id || identifier(kind, store.ARN) == physical })
		left := ended[id].ResourceStatus == types.ResourceStatusDeleteSkipped || ended[id].ResourceStatus == types.ResourceStatusDeleteFailed
		if left && foreign.HoldsData(kind) && !known {
			all = append(all, Retained{Region: r.name, ARN: physical, Logical: id})
		}
	}
	return all
}

// functionsOf are the names in Lambda of all functions that some release of a stage had.
func (p *Platform) functionsOf(ctx context.Context, ref aloft.StageRef) ([]string, error) {
	releases, err := p.Releases.Releases(ctx, ref, 0)
	if err != nil {
		return nil, ignoreMissing(err)
	}
	var all []string
	for _, release := range releases {
		for _, f := range lambdaFunctions(release) {
			all = append(all, ref.NameOf(f))
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// giveUp changes the stage's stacks so that they take their stores with them, stops the functions, which might go on writing, and
// empties the buckets. If a stack cannot be changed, what served goes on serving.
func (p *Platform) giveUp(ctx context.Context, ref aloft.StageRef, report aloft.Reporter) error {
	release, err := p.current(ctx, ref)
	if err != nil || release.Version == 0 {
		return err
	}
	d, err := p.deploymentOf(ctx, release, report)
	if err != nil {
		return err
	}
	if err := d.each(func(r *regional) error { return r.giveUp(ctx) }); err != nil {
		kept, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreLimit)
		defer cancel()
		return errors.Join(err, d.each(func(r *regional) error { return r.restoreAliases(kept) }))
	}
	if err := p.Stop(ctx, ref); err != nil {
		return err
	}
	return d.each(func(r *regional) error {
		found, err := r.ofStage(ctx, stageStack(release), aloft.Discard{})
		if err != nil || found == nil {
			return err
		}
		return r.emptyBuckets(ctx, sdk.ToString(found.StackId))
	})
}

// giveUp changes the stage's stack in a region so that it takes its stores with it.
func (r *regional) giveUp(ctx context.Context) error {
	found, err := r.ofStage(ctx, stageStack(r.release), r.report)
	if err != nil || found == nil {
		return err
	}
	if r.code, err = r.upload(ctx, r.release, r.report); err != nil {
		return err
	}
	r.deleteData = true
	if err := r.render(ctx); err != nil {
		return err
	}
	if r.serving, err = r.aliases(ctx); err != nil {
		return err
	}
	return r.update(ctx, found)
}

// removal is what goes of a stage in a region.
type removal struct {
	stack      owned
	functions  []string // by their names in Lambda
	deleteData bool     // the stack takes its stores with it
}

// remove deletes a stage's stack in a region, and what belongs to the stage but not to its stack. It returns what
// became of what the stack had, by logical ids.
func (r *region) remove(ctx context.Context, what removal, report aloft.Reporter) (map[string]types.StackEvent, error) {
	ended := map[string]types.StackEvent{}
	found, err := r.ofStage(ctx, what.stack, report)
	if err != nil {
		return nil, err
	}
	if found != nil {
		empty := func() error { return nil }
		if what.deleteData { // what was written since
			empty = func() error { return r.emptyBuckets(ctx, sdk.ToString(found.StackId)) }
		}
		if err := r.deleteAfter(ctx, found, empty, report); err != nil {
			return nil, err
		}
		events, err := r.events(ctx, sdk.ToString(found.StackId), map[string]bool{})
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			ended[sdk.ToString(e.LogicalResourceId)] = e
		}
	}
	for _, function := range what.functions { // Lambda makes one anew for what a function prints while it is deleted
		_, err := r.logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: sdk.String("/aws/lambda/" + function)})
		if err != nil && !is(err, noResource) {
			return ended, r.Session.explain(err, "delete the logs of "+function+" in "+r.name)
		}
	}
	return ended, r.removeSecret(ctx, what.stack.ref)
}

// ofStage brings a stage's stack to where it can be deleted. One of the name that is not the stage's is none: a release that was
// to be there may have failed for that very reason.
func (r *region) ofStage(ctx context.Context, o owned, report aloft.Reporter) (*types.Stack, error) {
	found, err := r.stackOf(ctx, o.stack)
	if err != nil || found == nil {
		return nil, err
	}
	if err := r.own(ctx, found, o); aloft.ErrorCode(err) == aloft.Conflict {
		report.Report(aloft.Notice{Text: fmt.Sprintf("%s: the stack %s stays: it is not that of %s", r.name, o.stack, o.ref)})
		return nil, nil //nolint:nilnil // there is none of the stage's
	}
	return r.ready(ctx, o, report) // meets any other error of own again
}

// forget deletes the records of which versions the releases had.
func (p *Platform) forget(ctx context.Context, ref aloft.StageRef, regions []string) error {
	releases, err := p.Releases.Releases(ctx, ref, 0)
	if err != nil {
		return ignoreMissing(err)
	}
	for _, release := range releases {
		if release.AWS == nil || len(release.AWS.Regions) == 0 || !slices.Contains(regions, release.AWS.Regions[0]) {
			continue
		}
		err := p.in(release.AWS.Regions[0]).objects.Delete(ctx, recordKey(ref, release.Version))
		if err := ignoreMissing(err); err != nil {
			return p.Session.explain(err, "delete the record of "+title(release))
		}
	}
	return nil
}

// tidy deletes the stacks of regions that the release left, and configs that are too old for a rollback. What fails is a
// warning: the release serves.
func (d *deployment) tidy(ctx context.Context) {
	if err := d.leave(ctx); err != nil {
		d.report.Report(aloft.Warning{Text: err.Error()})
	}
	_ = d.each(func(r *regional) error {
		told := ""
		for _, step := range []func(context.Context) error{r.pruneSecret, r.pruneVersions, r.tellRecords} {
			if err := step(ctx); err != nil && err.Error() != told { // one reason often stops all
				told = err.Error()
				d.report.Report(aloft.Warning{Text: told})
			}
		}
		return nil
	})
}

func (d *deployment) leave(ctx context.Context) error {
	if d.current.AWS == nil {
		return nil
	}
	gone := slices.DeleteFunc(slices.Clone(d.current.AWS.Regions), func(name string) bool { return slices.Contains(d.names(), name) })
	if len(gone) == 0 {
		return nil
	}
	functions, err := d.platform.functionsOf(ctx, d.release.StageRef)
	if err != nil {
		return err
	}
	for _, name := range gone {
		d.report.Report(aloft.Notice{Text: fmt.Sprintf("%s: %s is not deployed here any more; its stack is deleted, its stores stay", name, d.release.StageRef)})
		if _, err := d.platform.in(name).remove(ctx, removal{stack: stageStack(d.current), functions: functions}, d.report); err != nil {
			return err
		}
	}
	return nil
}

// lastModified reads a time as Lambda writes it; the zero time if it does not.
func lastModified(text string) time.Time {
	at, err := time.Parse("2006-01-02T15:04:05.000-0700", text)
	if err != nil {
		return time.Time{}
	}
	return at
}
