package aws

import (
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/aloft-run/aloft"
)

// owned is a stack that is one stage's, or the account's: of others with its name nothing is touched.
type owned struct {
	stack string
	about string            // the description of its templates
	tags  map[string]string // of the stack
}

func stageStack(ref aloft.StageRef) owned {
	return owned{stack: StackName(ref), about: "aloft: " + ref.String(), tags: stageTags(ref)}
}

func accountStack() owned {
	return owned{stack: AccountStack, about: AccountTemplate().Description, tags: accountTags()}
}

// own returns Conflict for a stack that has neither the tags nor the description. One that is in review has nothing yet, and
// one that was imported no tags.
func (r *region) own(found *types.Stack, o owned) error {
	imported := found.StackStatus == types.StackStatusImportComplete && sdk.ToString(found.Description) == "" && len(found.Tags) == 0 // MiniStack's has no description either
	if conditionOf(found.StackStatus) == inReview || sdk.ToString(found.Description) == o.about || imported {
		return nil
	}
	for key, value := range o.tags {
		has := func(tag types.Tag) bool { return sdk.ToString(tag.Key) == key && sdk.ToString(tag.Value) == value }
		if !slices.ContainsFunc(found.Tags, has) {
			return aloft.Errorf(aloft.Conflict, "the account %s has a stack %s in %s that is not this one of aloft: %s", r.Session.Account, o.stack, r.name, sdk.ToString(found.Description)).
				WithHint("choose another name for the app or the stage; nothing of that stack was touched")
		}
	}
	return nil
}
