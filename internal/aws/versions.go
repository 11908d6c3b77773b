package aws

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

const (
	noResource   = "ResourceNotFoundException"
	precondition = "PreconditionFailedException"
	latest       = aloft.LatestVersion
)

// aliases are the versions that serve, by function. Functions that are not there, or have no alias, are left out.
func (r *regional) aliases(ctx context.Context) (map[string]string, error) {
	var mu sync.Mutex
	serving, pointers := map[string]string{}, map[string]*lambda.GetAliasOutput{}
	err := r.eachFunction(func(name string) error {
		alias, err := r.alias(ctx, r.out.Functions[name].Lambda)
		if alias != nil {
			mu.Lock()
			defer mu.Unlock()
			serving[name], pointers[name] = sdk.ToString(alias.FunctionVersion), alias
		}
		return err
	})
	r.pointers = pointers
	return serving, err
}

// alias is the one that leads requests to a function; nil if it is not there.
func (r *region) alias(ctx context.Context, function string) (*lambda.GetAliasOutput, error) {
	alias, err := r.lambda.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &function, Name: sdk.String(stack.Live)})
	if is(err, noResource) {
		return nil, nil //nolint:nilnil // no alias is an answer, not an error
	}
	return alias, r.Session.explain(err, "look at "+function+" in "+r.name)
}

// eachFunction does something for each function, for some at once, and waits for all.
func (r *regional) eachFunction(do func(name string) error) error {
	var steps []func() error
	for _, name := range slices.Sorted(maps.Keys(r.out.Functions)) {
		steps = append(steps, func() error { return do(name) })
	}
	return someOf(atOnce, steps)
}

// atOnce is how many functions of a region are looked at or worked on at once: Lambda throttles nearly all of that at fifteen requests
// a second. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#api-requests
const atOnce = 5

// setCode gives a function the release's code, which serves nobody: aliases lead to versions.
func (r *regional) setCode(ctx context.Context, function string) error {
	if err := r.settle(ctx, function, ""); err != nil {
		return err
	}
	object := r.code.artifact
	now, err := r.lambda.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{
		FunctionName: &function, S3Bucket: &object.Bucket, S3Key: &object.Key,
		Architectures: []lambdatypes.Architecture{lambdatypes.Architecture(architecture(r.release))},
	})
	if err != nil {
		return r.Session.explain(err, "give "+function+" in "+r.name+" its code")
	}
	return r.settleFrom(ctx, function, "", life{now.State, now.LastUpdateStatus})
}

// life is where a function, or a version of it, is in its life, as an answer of Lambda says.
type life struct {
	state  lambdatypes.State
	update lambdatypes.LastUpdateStatus
}

// moves reports whether Lambda still works on it.
func (l life) moves() bool {
	return l.state == lambdatypes.StatePending || l.update == lambdatypes.LastUpdateStatusInProgress
}

// settleFrom is settle for what an answer just told of.
func (r *regional) settleFrom(ctx context.Context, function, version string, now life) error {
	if now.state == lambdatypes.StateActive && now.update == lambdatypes.LastUpdateStatusSuccessful {
		return nil
	}
	if now.moves() {
		if err := r.pause(ctx); err != nil {
			return r.Session.explain(err, "wait for "+function+" in "+r.name)
		}
	}
	return r.settle(ctx, function, version)
}

// settle waits until a function, or a version of it, is whole: only then can it be changed, or serve.
func (r *regional) settle(ctx context.Context, function, version string) error {
	_, err := r.settled(ctx, function, version)
	return err
}

// settled is settle, and says where it is then: it may sleep.
func (r *regional) settled(ctx context.Context, function, version string) (life, error) {
	input := &lambda.GetFunctionConfigurationInput{FunctionName: &function}
	if version != "" {
		input.Qualifier = &version
	}
	for {
		f, err := r.lambda.GetFunctionConfiguration(ctx, input)
		if err != nil {
			return life{}, r.Session.explain(err, "look at "+function+" in "+r.name)
		}
		if f.State == lambdatypes.StateFailed || f.LastUpdateStatus == lambdatypes.LastUpdateStatusFailed {
			reason := discreet(sdk.ToString(f.StateReason)) + discreet(sdk.ToString(f.LastUpdateStatusReason))
			return life{}, aloft.Errorf(aloft.Failed, "%s: %s: %s", r.name, function, reason).WithHint("mend that, then type the same command again")
		}
		if now := (life{f.State, f.LastUpdateStatus}); !now.moves() {
			return now, nil
		}
		if err := r.pause(ctx); err != nil {
			return life{}, r.Session.explain(err, "wait for "+function+" in "+r.name)
		}
	}
}

// alignCode sees to it that a stack's change publishes versions of the release's code. Releases that changed only code left
// functions with other code than the stack's template names; CloudFormation, which compares templates, would not see it if the
// new one names the same.
func (r *regional) alignCode(ctx context.Context, found *types.Stack) error {
	if found == nil || len(r.serving) == 0 {
		return nil
	}
	named, err := r.codeKeys(ctx, found)
	if err != nil {
		return err
	}
	for name, names := range r.out.Functions {
		if r.serving[name] == "" || named[names.Function] != r.code.artifact.Key {
			continue
		}
		f, err := r.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &names.Lambda})
		if err != nil {
			return r.Session.explain(err, "look at "+names.Lambda+" in "+r.name)
		}
		if sdk.ToString(f.CodeSha256) == codeSha(r.release.Artifact.Digest) {
			continue
		}
		if err := r.setCode(ctx, names.Lambda); err != nil {
			return err
		}
	}
	return nil
}

// codeKeys are the keys of the code that a stack's template names, by logical id.
func (r *regional) codeKeys(ctx context.Context, found *types.Stack) (map[string]string, error) {
	text, err := r.templateOf(ctx, found)
	if err != nil {
		return nil, err
	}
	var template struct {
		Resources map[string]struct {
			Properties struct{ Code struct{ S3Key any } }
		}
	}
	if err := json.Unmarshal([]byte(text), &template); err != nil {
		return nil, aloft.Errorf(aloft.Conflict, "the stack %s in %s is not aloft's: its template is not JSON", sdk.ToString(found.StackName), r.name).
			WithHint("choose another name for the app or the stage, or adopt it: aloft import stack %s", sdk.ToString(found.StackName))
	}
	keys := map[string]string{}
	for id, one := range template.Resources {
		if key, ok := one.Properties.Code.S3Key.(string); ok {
			keys[id] = key
		}
	}
	return keys, nil
}

// templateOf is the template that a stack was made of, as it was sent.
func (r *region) templateOf(ctx context.Context, found *types.Stack) (string, error) {
	out, err := r.stacks.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: found.StackId, TemplateStage: types.TemplateStageOriginal})
	if err != nil {
		return "", r.Session.explain(err, "read the template of the stack in "+r.name)
	}
	return sdk.ToString(out.TemplateBody), nil
}
