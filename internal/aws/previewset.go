package aws

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfndiff"
)

// askChangeSet has CloudFormation plan the change, and takes from its plan what the templates do not tell. Nothing of it stays.
func (v *preview) askChangeSet(ctx context.Context) error {
	c := v.change("plan-" + strings.ToLower(rand.Text()[:8]))
	if len(c.template) > inlineTemplate {
		c.template = append(slices.Clone(c.template), '\n') // an object of its own in the bucket: it is deleted again
		defer v.forgetTemplate(ctx, c.template)
	}
	defer v.forget(ctx, c)
	set, changes, err := v.changeSet(ctx, v.found, c)
	if err != nil {
		return err
	}
	v.said.ChangeSet = true
	for changes {
		for _, one := range set.Changes {
			v.merge(one.ResourceChange)
		}
		if sdk.ToString(set.NextToken) == "" {
			break
		}
		set, err = v.stacks.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{ChangeSetName: set.ChangeSetId, NextToken: set.NextToken})
		if err != nil {
			return v.Session.explain(err, "read the plan of the stack "+c.stack+" in "+v.name)
		}
	}
	return nil
}

// merge takes over what CloudFormation says of one resource.
func (v *preview) merge(said *types.ResourceChange) {
	if said == nil || said.Action != types.ChangeActionModify {
		return
	}
	id := sdk.ToString(said.LogicalResourceId)
	i := slices.IndexFunc(v.said.Resources, func(c aloft.ResourceChange) bool { return c.ID == id })
	if i < 0 { // something that it refers to changes
		kind := sdk.ToString(said.ResourceType)
		i = len(v.said.Resources)
		v.said.Resources = append(v.said.Resources, aloft.ResourceChange{Action: aloft.Modify, ID: id, Type: kind, Part: cfndiff.Part(kind)})
	}
	c := &v.said.Resources[i]
	if c.Action != aloft.Modify || c.Was != "" {
		return
	}
	var causes []string
	for _, detail := range said.Details {
		target := detail.Target
		if target == nil || sdk.ToString(target.Name) == "" {
			continue
		}
		if name := sdk.ToString(target.Name); !slices.Contains(c.Properties, name) {
			c.Properties = append(c.Properties, name)
		}
		if target.RequiresRecreation == types.RequiresRecreationAlways || target.RequiresRecreation == types.RequiresRecreationConditionally {
			causes = append(causes, sdk.ToString(target.Name))
		}
	}
	switch said.Replacement {
	case types.ReplacementTrue:
		c.Replace = aloft.ReplaceAlways
	case types.ReplacementConditional:
		c.Replace = aloft.ReplaceMaybe
	case types.ReplacementFalse:
		c.Replace, c.Causes, c.Kept, c.Refused = "", nil, "", false
		return
	default:
		return
	}
	slices.Sort(causes)
	if causes = slices.Compact(causes); len(causes) > 0 {
		c.Causes = causes
	}
	cfndiff.Settle(c, v.before.Resources[id], v.out.Template.Resources[id])
}

const (
	// forgetLimit bounds the wait for deletions after a plan, which go on when the plan was given up.
	forgetLimit = 20 * time.Second
	// planLife is after how long a change set of a plan is nobody's any more: whoever made it was killed.
	planLife = time.Hour
)

// forget deletes the change set, and the stack that it made to be in. One that somebody else plans for stays.
func (v *preview) forget(ctx context.Context, c change) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetLimit)
	defer cancel()
	others := 0
	pages := cloudformation.NewListChangeSetsPaginator(v.stacks, &cloudformation.ListChangeSetsInput{StackName: &c.stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			v.Logger.Warn("list change sets", "stack", c.stack, "error", err)
			return
		}
		for _, set := range page.Summaries {
			name := sdk.ToString(set.ChangeSetName)
			abandoned := strings.HasPrefix(name, "aloft-plan-") && time.Since(sdk.ToTime(set.CreationTime)) > planLife
			if !abandoned && !strings.HasPrefix(name, "aloft-"+c.title+"-") {
				others++
				continue
			}
			if _, err := v.stacks.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{ChangeSetName: set.ChangeSetId}); err != nil {
				v.Logger.Warn("delete a change set", "id", sdk.ToString(set.ChangeSetId), "error", err)
			}
		}
	}
	if v.found != nil || others > 0 {
		return
	}
	made, err := v.stackOf(ctx, c.stack)
	if err == nil && made != nil && conditionOf(made.StackStatus) == inReview {
		_, err = v.stacks.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: made.StackId})
	}
	if err != nil {
		v.Logger.Warn("delete the stack of a plan", "stack", c.stack, "error", err)
	}
}

// forgetTemplate deletes the template of a change set from the bucket.
func (v *preview) forgetTemplate(ctx context.Context, template []byte) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetLimit)
	defer cancel()
	if err := v.objects.Delete(ctx, templateKey(template)); err != nil {
		v.Logger.Warn("delete a template", "error", err)
	}
}
