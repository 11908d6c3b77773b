package aws

import (
	"context"
	"regexp"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/aloft-run/aloft"
)

// InUse are the digests of the artifacts that the templates of all stages' stacks in a region name, whatever region their records
// are in. It returns Conflict while CloudFormation changes one of the stacks, or could not take a change back: the code that it goes back
// to is in no template then.
func (p *Platform) InUse(ctx context.Context, region string) (map[string]bool, error) {
	r, digests := p.in(region), map[string]bool{}
	pages := cloudformation.NewDescribeStacksPaginator(r.stacks, &cloudformation.DescribeStacksInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, r.Session.explain(err, "list the stacks in "+region)
		}
		for _, one := range page.Stacks {
			if !ofAStage(one) {
				continue
			}
			text, err := r.restingTemplate(ctx, one)
			if err != nil {
				return nil, err
			}
			for _, found := range digestsIn.FindAllString(text, -1) {
				digests[found] = true
			}
		}
	}
	return digests, nil
}

// restingTemplate is the template of a stack that is at rest; "" if it is gone since.
func (r *region) restingTemplate(ctx context.Context, one types.Stack) (string, error) {
	// One of UPDATE_FAILED, which somebody made with disabled rollback, may still be rolled back.
	if c := conditionOf(one.StackStatus); c == busy || c == halfBack || one.StackStatus == types.StackStatusUpdateFailed {
		return "", aloft.Errorf(aloft.Conflict, "the stack %s in %s is %s", sdk.ToString(one.StackName), r.name, one.StackStatus).WithHint("try again when it has come to rest")
	}
	got, err := r.stacks.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: one.StackId, TemplateStage: types.TemplateStageOriginal})
	if is(err, "ValidationError") {
		return "", nil
	}
	if err != nil {
		return "", r.Session.explain(err, "read the template of "+sdk.ToString(one.StackName))
	}
	return sdk.ToString(got.TemplateBody), nil
}

// digestsIn are the digests in a template: those of its code, and those in the record of its release.
var digestsIn = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// ofAStage reports whether a stack may be one of aloft's: one that was imported has no tags.
func ofAStage(one types.Stack) bool {
	for _, tag := range one.Tags {
		if sdk.ToString(tag.Key) == "aloft:app" {
			return true
		}
	}
	return len(one.Tags) == 0
}
