package aws

import (
	"context"
	"regexp"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// InUse are the digests of the artifacts that the templates of all stages' stacks in a region name, whatever region their records
// are in.
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
			got, err := r.stacks.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: one.StackId, TemplateStage: types.TemplateStageOriginal})
			if is(err, "ValidationError") { // gone since
				continue
			}
			if err != nil {
				return nil, r.Session.explain(err, "read the template of "+sdk.ToString(one.StackName))
			}
			for _, found := range digestsIn.FindAllString(sdk.ToString(got.TemplateBody), -1) {
				digests[found] = true
			}
		}
	}
	return digests, nil
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
