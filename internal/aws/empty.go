package aws

import (
	"context"
	"maps"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
)

// emptyBuckets empties the buckets that a stack takes with it: one that its template retains stays with what is in it. A stack that is
// gone has none.
func (r *region) emptyBuckets(ctx context.Context, stack string) error {
	buckets := map[string]string{} // by logical id
	pages := cloudformation.NewListStackResourcesPaginator(r.stacks, &cloudformation.ListStackResourcesInput{StackName: &stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if is(err, "ValidationError") {
			return nil
		}
		if err != nil {
			return r.Session.explain(err, "list what the stack has in "+r.name)
		}
		for _, one := range page.StackResourceSummaries {
			if sdk.ToString(one.ResourceType) == "AWS::S3::Bucket" {
				buckets[sdk.ToString(one.LogicalResourceId)] = sdk.ToString(one.PhysicalResourceId)
			}
		}
	}
	if len(buckets) == 0 {
		return nil
	}
	template, err := r.template(ctx, stack)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(buckets)) {
		if said, is := template.Resources[id]; !is || strings.HasPrefix(said.DeletionPolicy, "Retain") {
			continue
		}
		if err := r.objects.Empty(ctx, buckets[id]); err != nil {
			return r.Session.explain(err, "empty the bucket "+buckets[id])
		}
	}
	return nil
}
