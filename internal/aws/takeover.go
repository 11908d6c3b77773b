package aws

import (
	"context"
	"fmt"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/foreign"
	"github.com/aloft-run/aloft/internal/stack"
)

// wanted is the stack of a release that is about to be deployed. One that others made becomes it if the project names it.
func wanted(release aloft.Release) owned {
	o := stageStack(release)
	o.takes = o.named
	return o
}

// strange reports whether a stack is none of aloft's: nothing in it says that it is one.
func (r *region) strange(ctx context.Context, found *types.Stack) (bool, error) {
	const about = "aloft: "
	if found == nil || conditionOf(found.StackStatus) == inReview || strings.HasPrefix(sdk.ToString(found.Description), about) || outputOf(found, OutputFingerprint) != "" {
		return false, nil
	}
	for _, tag := range found.Tags {
		if strings.HasPrefix(sdk.ToString(tag.Key), "aloft:") {
			return false, nil
		}
	}
	template, err := r.template(ctx, sdk.ToString(found.StackName))
	return stack.Recorded(template).AWS == nil && !strings.HasPrefix(template.Description, about), err
}

// takeable returns Conflict for a stack that others have to mend before it can become anybody's.
func (r *region) takeable(found *types.Stack) error {
	switch conditionOf(found.StackStatus) {
	case whole, busy, halfBack, unfinished: // the last two as a change of ours may have left it
		return nil
	case absent, inReview, neverWas, halfGone:
	}
	return aloft.Errorf(aloft.Conflict, "the stack %s in %s, which aloft did not make, is %s", sdk.ToString(found.StackName), r.name, found.StackStatus).
		WithHint("mend it, or delete it, with what made it; nothing of it was touched")
}

// harmless returns Conflict, and gives the change set up, if what a stack of others has in it would be lost with the change that makes
// it aloft's. Nobody is asked: an adoption keeps what there is.
func (r *region) harmless(ctx context.Context, set *cloudformation.DescribeChangeSetOutput, c change) error {
	for {
		for _, one := range set.Changes {
			if lost := lostWith(one.ResourceChange); lost != "" {
				if _, err := r.stacks.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{ChangeSetName: set.ChangeSetId}); err != nil {
					r.Logger.Warn("delete a change set", "error", err)
				}
				return r.lossy(c.stack, lost)
			}
		}
		if sdk.ToString(set.NextToken) == "" {
			return nil
		}
		var err error
		set, err = r.stacks.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{ChangeSetName: set.ChangeSetId, NextToken: set.NextToken})
		if err != nil {
			return r.Session.explain(err, "read the plan of the stack "+c.stack+" in "+r.name)
		}
	}
}

func (r *region) lossy(name, lost string) error {
	return aloft.Errorf(aloft.Conflict, "%s: nothing was done: %s, and a stack that becomes aloft's keeps its stores", r.name, lost).
		WithHint("have the section cloudformation of aloft.yml say of it what the stack says: aloft import stack %s --dir DIR writes it", name)
}

// lostWith is what CloudFormation would do to a store; "" if it stays as it is. Of a custom resource its function says on an update
// whether it becomes another one.
func lostWith(one *types.ResourceChange) string {
	if one == nil || !store(sdk.ToString(one.ResourceType)) {
		return ""
	}
	what := fmt.Sprintf("%s (%s) would be ", sdk.ToString(one.LogicalResourceId), sdk.ToString(one.ResourceType))
	replaced := one.Replacement == types.ReplacementTrue || one.Replacement == types.ReplacementConditional
	switch {
	case one.Action == types.ChangeActionModify && replaced && !foreign.IsCustom(sdk.ToString(one.ResourceType)):
		return what + "replaced by an empty one"
	case one.Action == types.ChangeActionRemove && one.PolicyAction != types.PolicyActionRetain:
		return what + "deleted"
	}
	return ""
}

// store reports whether a type may have data that an adoption keeps. Logs of functions go with them, which is asked about.
func store(kind string) bool { return foreign.HoldsData(kind) && kind != "AWS::Logs::LogGroup" }

// takeOver finds out whether the stack is one of others that becomes the stage's, and refuses one that may not.
func (v *preview) takeOver(ctx context.Context) (err error) {
	if v.found == nil {
		return nil
	}
	if err := v.own(ctx, v.found, wanted(v.release)); err != nil {
		return err
	}
	v.said.Adopts, err = v.strange(ctx, v.found)
	return err
}

// keepsStores returns Conflict if a stack that becomes the stage's would lose a store.
func (v *preview) keepsStores() error {
	for _, c := range v.said.Resources {
		removed := c.Action == aloft.Remove && c.Kept != aloft.KeptWhole
		if v.said.Adopts && store(c.Type) && (removed || c.Replace == aloft.ReplaceAlways) {
			return v.lossy(v.said.Stack, strings.TrimPrefix(aloft.Loss{Region: v.name, ResourceChange: c}.String(), v.name+": "))
		}
	}
	return nil
}

// theirs reads the template of a stack of others, as CloudFormation worked it out.
func (v *preview) theirs(ctx context.Context) (err error) {
	out, err := v.stacks.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: v.found.StackId, TemplateStage: types.TemplateStageProcessed})
	if err != nil {
		return v.Session.explain(err, "read the template of the stack "+v.said.Stack+" in "+v.name)
	}
	text, err := foreign.ToJSON([]byte(sdk.ToString(out.TemplateBody)))
	if err == nil {
		v.before, err = foreign.Parse(text)
	}
	if err != nil {
		return aloft.Errorf(aloft.Conflict, "%s: what the stack %s would lose cannot be said: %w", v.name, v.said.Stack, err).
			WithHint("deploy beside it: another aws.stack, or none")
	}
	return nil
}
