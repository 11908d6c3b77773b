package aws

import (
	"context"
	"maps"
	"slices"
	"strconv"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/aloft-run/aloft/internal/stack"
)

// keptVersions is how many versions of a function stay in Lambda, which has room for 75 GB of code in a region. Of older
// releases the bucket has the code: a rollback publishes it again.
const keptVersions = 20

// pruneVersions deletes the oldest versions of the functions, but for those that serve, those that served before, and
// those that the stack refers to.
func (r *regional) pruneVersions(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(r.out.Functions)) {
		old, err := r.oldVersions(ctx, name)
		if err == nil && len(old) > 0 {
			err = r.deleteVersions(ctx, name, old)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// deleteVersions deletes old versions of a function that nothing needs.
func (r *regional) deleteVersions(ctx context.Context, name string, old []lambdatypes.FunctionConfiguration) error {
	found, err := r.described(ctx)
	if err != nil {
		return err
	}
	made := outputOf(found, stack.OutputRelease)
	before, err := r.versionsOf(ctx, r.current)
	if err != nil {
		return err
	}
	function := r.out.Functions[name].Lambda
	alias, err := r.alias(ctx, function)
	if err != nil || alias == nil {
		return err
	}
	for _, v := range old {
		if contains(alias, *v.Version) || *v.Version == r.serving[name] || *v.Version == before.Regions[r.name].Versions[name] || sdk.ToString(v.Description) == made {
			continue
		}
		if _, err := r.lambda.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &function, Qualifier: v.Version}); err != nil && !is(err, noResource) {
			return r.Session.explain(err, "delete the old version "+*v.Version+" of "+function+" in "+r.name)
		}
	}
	return nil
}

// contains reports whether an alias leads to a version, for whatever weight.
func contains(alias *lambda.GetAliasOutput, version string) bool {
	if sdk.ToString(alias.FunctionVersion) == version {
		return true
	}
	if alias.RoutingConfig == nil {
		return false
	}
	_, has := alias.RoutingConfig.AdditionalVersionWeights[version]
	return has
}

// oldVersions are all but the newest of a function.
func (r *regional) oldVersions(ctx context.Context, name string) (old []lambdatypes.FunctionConfiguration, err error) {
	all, known := r.published[name]
	if !known {
		if all, err = r.versions(ctx, r.out.Functions[name].Lambda); err != nil {
			return nil, err
		}
	}
	kept := keptVersions
	if !slices.ContainsFunc(all, func(v lambdatypes.FunctionConfiguration) bool { return sdk.ToString(v.Version) == r.moves[name] }) {
		kept-- // the newest was made since
	}
	return all[:max(0, len(all)-kept)], nil
}

// versions are those of a function, the oldest first.
func (r *region) versions(ctx context.Context, function string) ([]lambdatypes.FunctionConfiguration, error) {
	var all []lambdatypes.FunctionConfiguration
	pages := lambda.NewListVersionsByFunctionPaginator(r.lambda, &lambda.ListVersionsByFunctionInput{FunctionName: &function})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, r.Session.explain(err, "list the versions of "+function+" in "+r.name)
		}
		for _, v := range page.Versions {
			if sdk.ToString(v.Version) != latest {
				all = append(all, v)
			}
		}
	}
	slices.SortFunc(all, func(a, b lambdatypes.FunctionConfiguration) int {
		x, _ := strconv.Atoi(sdk.ToString(a.Version)) // all but $LATEST are numbers
		y, _ := strconv.Atoi(sdk.ToString(b.Version))
		return x - y
	})
	return all, nil
}
