package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

// CheckHome returns Conflict if a stage without a release in these records has a stack in one of the regions of its next release, of
// which home is the first: the records were lost, or are those of another home. Whoever deployed then would take away what serves,
// and its config. Of next only the stage and the settings matter.
func (p *Platform) CheckHome(ctx context.Context, next aloft.Release) error {
	current, err := p.current(ctx, next.StageRef)
	if ignoreMissing(err) != nil || current.Version != 0 {
		return err
	}
	for _, name := range next.AWS.Regions {
		if err := p.in(name).recorded(ctx, next); err != nil {
			return err
		}
	}
	return nil
}

// recorded returns Conflict if the region has a stack of the stage that was made of a release which the records do not have.
func (r *region) recorded(ctx context.Context, next aloft.Release) error {
	found, err := r.stackOf(ctx, StackName(next))
	if err != nil {
		return err
	}
	return r.recordedIs(ctx, found, next)
}

// recordedIs is recorded for a stack that was looked up; nil is none.
func (r *region) recordedIs(ctx context.Context, found *types.Stack, next aloft.Release) error {
	ref, name, home := next.StageRef, StackName(next), next.AWS.Regions[0]
	byHand := outputOf(found, OutputFingerprint) == "" // who deployed what was exported, or it was never made whole
	if found == nil || byHand && conditionOf(found.StackStatus) != whole || r.own(ctx, found, stageStack(next)) != nil {
		return nil //nolint:nilerr // one of somebody else's is refused elsewhere
	}
	template, err := r.template(ctx, name)
	if err != nil {
		return err
	}
	said := stack.Recorded(template)
	switch {
	case byHand && said.AWS == nil:
		return nil
	case byHand:
		return aloft.Errorf(aloft.Conflict, "the stack %s in %s was deployed without aloft, of what it exported: there is no record of what serves %s", name, r.name, ref).
			WithHint("aloft import stack %s --region %s makes the records, with config; nothing was touched", name, r.name)
	}
	known, err := r.Releases.Release(ctx, ref, said.Version)
	if ignoreMissing(err) != nil {
		return err
	}
	if err == nil && known.Artifact.Digest == said.Artifact.Digest && known.CreatedAt.Equal(said.CreatedAt) {
		return nil // it was interrupted before it was written down that it serves
	}
	if said.AWS != nil && len(said.AWS.Regions) > 0 && said.AWS.Regions[0] != home {
		return aloft.Errorf(aloft.Conflict, "the stack %s in %s has its home in %s, where the records of %s are, not in %s", name, r.name, said.AWS.Regions[0], ref, home).
			WithHint("make %s the first of regions: in aloft.yml again, and leave out another --region; nothing was touched", said.AWS.Regions[0])
	}
	return aloft.Errorf(aloft.Conflict, "the account %s has the stack %s in %s, made by aloft of v%d, but no record of what serves %s", r.Session.Account, name, r.name, said.Version, ref).
		WithHint("aloft import stack %s --region %s makes the records again, with number and config; nothing was touched", name, home)
}
