package aws

import (
	"cmp"
	"context"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/aloft-run/aloft"
)

// owned is a stack that is one stage's, or the account's: of others with its name nothing is touched.
type owned struct {
	stack string
	ref   aloft.StageRef    // of the stage; zero for the account's
	about string            // the description of its templates
	tags  map[string]string // of the stack
	named bool              // the project names it: it may be one of others, which is to become the stage's
	takes bool              // and it does now
}

func stageStack(release aloft.Release) owned {
	ref := release.StageRef
	return owned{stack: StackName(release), ref: ref, about: "aloft: " + ref.String(), tags: stageTags(ref), named: release.AWS.Stack != ""}
}

func accountStack() owned {
	return owned{stack: AccountStack, about: AccountTemplate().Description, tags: accountTags()}
}

// own returns Conflict for a stack that has neither the tags nor the description, nor has a template with it. One that is in review
// has nothing yet, and one that was imported no tags.
func (r *region) own(ctx context.Context, found *types.Stack, o owned) error {
	about := sdk.ToString(found.Description)
	if conditionOf(found.StackStatus) == inReview || about == o.about || hasTags(found, o.tags) {
		return nil
	}
	if about == "" && len(found.Tags) == 0 { // CloudFormation may not tell the description of what was imported
		template, err := r.template(ctx, o.stack)
		if err != nil {
			return err
		}
		if template.Description == o.about {
			return nil
		}
		about = template.Description
	}
	if o.takes {
		if strange, err := r.strange(ctx, found); strange || err != nil {
			return cmp.Or(err, r.takeable(found))
		}
	}
	return aloft.Errorf(aloft.Conflict, "the account %s has a stack %s in %s that is not this one of aloft: %s", r.Session.Account, o.stack, r.name, cmp.Or(about, "it has no description and no tags of aloft's")).
		WithHint("choose another name for the app or the stage; nothing of that stack was touched")
}

func hasTags(found *types.Stack, want map[string]string) bool {
	for key, value := range want {
		has := func(tag types.Tag) bool { return sdk.ToString(tag.Key) == key && sdk.ToString(tag.Value) == value }
		if !slices.ContainsFunc(found.Tags, has) {
			return false
		}
	}
	return true
}
