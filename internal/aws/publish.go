package aws

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/aloft-run/aloft"
)

// publish makes a version of each function with the release's code, without touching the stack. Versions that an earlier
// release of the same fingerprint published are used again.
func (r *regional) publish(ctx context.Context) error {
	var mu sync.Mutex
	r.moves, r.published = map[string]string{}, map[string][]lambdatypes.FunctionConfiguration{}
	return r.eachFunction(func(name string) error {
		all, err := r.versions(ctx, r.out.Functions[name].Lambda)
		if err != nil {
			return err
		}
		version, err := r.versionFor(ctx, name, all)
		mu.Lock()
		defer mu.Unlock()
		r.published[name], r.moves[name] = all, version
		return err
	})
}

// versionFor is a version of a function with the release's code: one that there is, unless it sleeps, or a new one.
func (r *regional) versionFor(ctx context.Context, name string, all []lambdatypes.FunctionConfiguration) (string, error) {
	function := r.out.Functions[name].Lambda
	asleep, err := r.usable(ctx, name, all)
	if err != nil {
		return "", err
	}
	if asleep != "" {
		now, err := r.settled(ctx, function, asleep)
		if err != nil || now.state != lambdatypes.StateInactive {
			return asleep, err
		}
		r.report.Report(aloft.Notice{Text: fmt.Sprintf("%s: Lambda put version %s of %s to sleep, as nobody called it: it is published again", r.name, asleep, function)})
	}
	if err := r.setCode(ctx, function); err != nil {
		return "", err
	}
	made, err := r.publishCode(ctx, function)
	if err == nil && asleep != "" && sdk.ToString(made.Version) == asleep {
		made, err = r.publishAgain(ctx, function)
	}
	if err != nil {
		return "", err
	}
	version := sdk.ToString(made.Version)
	if err := r.settleFrom(ctx, function, version, life{made.State, made.LastUpdateStatus}); err != nil {
		return "", err
	}
	if version == asleep {
		r.report.Report(aloft.Warning{Text: fmt.Sprintf("%s: version %s of %s sleeps: Lambda refuses its first requests, until it has woken it", r.name, version, function)})
		return version, nil
	}
	r.report.Report(aloft.Output{Step: aloft.StepStart, Text: fmt.Sprintf("%s  published  %s:%s (%s)", r.name, function, version, r.release.Artifact.Short())})
	return version, nil
}

// publishCode publishes what a function is now, if that is the release's code. Lambda answers with the newest version if that is the
// same.
func (r *regional) publishCode(ctx context.Context, function string) (*lambda.PublishVersionOutput, error) {
	sha := codeSha(r.release.Artifact.Digest)
	made, err := r.lambda.PublishVersion(ctx, &lambda.PublishVersionInput{
		FunctionName: &function, CodeSha256: &sha, Description: sdk.String(title(r.release)),
	})
	return made, r.Session.explain(err, "publish a version of "+function+" in "+r.name)
}

// publishAgain publishes a version of what the newest version is already: Lambda does that only for another configuration, so the
// function has another description meanwhile. The other way to wake a version is to call it, which its handler might not bear.
func (r *regional) publishAgain(ctx context.Context, function string) (made *lambda.PublishVersionOutput, err error) {
	now, err := r.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &function})
	if err != nil {
		return nil, r.Session.explain(err, "look at "+function+" in "+r.name)
	}
	before := sdk.ToString(now.Description)
	if err := r.describe(ctx, function, title(r.release)+" again"); err != nil {
		return nil, err
	}
	made, err = r.publishCode(ctx, function)
	return made, cmp.Or(err, r.describe(context.WithoutCancel(ctx), function, before))
}

// describe sets a function's description.
func (r *regional) describe(ctx context.Context, function, text string) error {
	now, err := r.lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &function, Description: &text})
	if err != nil {
		return r.Session.explain(err, "describe "+function+" in "+r.name)
	}
	return r.settleFrom(ctx, function, "", life{now.State, now.LastUpdateStatus})
}

// usable is the newest of the versions with the release's code that was made under the same fingerprint; "" if there is none.
func (r *regional) usable(ctx context.Context, name string, all []lambdatypes.FunctionConfiguration) (string, error) {
	sha := codeSha(r.release.Artifact.Digest)
	for _, v := range slices.Backward(all) { // what was published again sleeps less than what was before it
		if sdk.ToString(v.CodeSha256) != sha {
			continue
		}
		made, err := r.recordOf(ctx, r.release.StageRef, sdk.ToString(v.Description))
		if err != nil {
			return "", err
		}
		if made.same(r.name, r.fingerprint, name, sdk.ToString(v.Version)) {
			return sdk.ToString(v.Version), nil
		}
	}
	return "", nil
}
