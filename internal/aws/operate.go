package aws

import (
	"context"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

// Stop lets no function of a stage run: AWS answers that there is no room (503, 429). Stores stay as they are.
func (p *Platform) Stop(ctx context.Context, ref aloft.StageRef) error {
	release, err := p.current(ctx, ref)
	if err != nil || release.Version == 0 {
		return err
	}
	for _, name := range release.AWS.Regions {
		r := p.in(name)
		for _, f := range lambdaFunctions(release) {
			_, err := r.lambda.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{
				FunctionName: sdk.String(ref.NameOf(f)), ReservedConcurrentExecutions: sdk.Int32(0),
			})
			if err != nil && !is(err, noResource) {
				return p.Session.explain(err, "stop "+ref.NameOf(f)+" in "+name)
			}
		}
	}
	return nil
}

// lambdaFunctions are the functions of a release that Lambda runs.
func lambdaFunctions(release aloft.Release) []aloft.Function {
	all := release.Tuned()
	web := slices.ContainsFunc(all, func(f aloft.Function) bool { return f.Kind == aloft.Web })
	return slices.DeleteFunc(all, func(f aloft.Function) bool {
		return f.Kind == aloft.Worker || f.Kind == aloft.Static && web // the web function's shim serves those
	})
}

// Route does nothing: domains are part of a release on AWS, so that a rollback restores them.
func (*Platform) Route(context.Context, aloft.Stage) error { return nil }

// Restore does nothing: what runs on AWS needs no server of aloft.
func (*Platform) Restore(context.Context, []aloft.Restored) error { return nil }

// AliasesChanged does nothing: the stack has the only alias.
func (*Platform) AliasesChanged(aloft.StageRef) {}

// RunRelease runs a command on this machine with a release's code and config. Lambda has no one-off commands.
func (p *Platform) RunRelease(ctx context.Context, release aloft.Release, input aloft.RunInput) (int, error) {
	if p.RunLocal == nil {
		return 0, aloft.Errorf(aloft.Invalid, "%s is on AWS Lambda, which runs functions only, no commands", release.StageRef).
			WithHint("make it a handler function and call it: aloft invoke FUNCTION")
	}
	return p.RunLocal(ctx, release, input)
}

// lambdaLevel is that of an isolated and bounded sandbox.
const lambdaLevel = 4

// instance is a function in a region. What serves is of the release if its record has that version; else of the one that the
// version was published for.
func (r *region) instance(ctx context.Context, release aloft.Release, f aloft.Function, recorded string) (aloft.Instance, error) {
	function := release.NameOf(f)
	i := aloft.Instance{ID: r.name + "/" + function, Function: f.Name, State: aloft.Ready}
	var config *lambda.GetFunctionConfigurationOutput
	var concurrency *lambda.GetFunctionConcurrencyOutput
	err := parallel(func() (err error) {
		config, err = r.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &function, Qualifier: sdk.String(stack.Live)})
		return err
	}, func() (err error) {
		concurrency, err = r.lambda.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &function})
		return err
	})
	if is(err, noResource) {
		i.State, i.Reason = aloft.Crashed, "it is not there: aloft up --force makes it again"
		return i, nil
	}
	if err != nil {
		return i, r.Session.explain(err, "look at "+function+" in "+r.name)
	}
	i.ID += ":" + sdk.ToString(config.Version)
	i.Release = release.Version
	if sdk.ToString(config.Version) != recorded {
		i.Release, _ = strconv.Atoi(strings.TrimPrefix(sdk.ToString(config.Description), "v")) // 0: nobody knows
	}
	i.StartedAt = lastModified(sdk.ToString(config.LastModified))
	switch {
	case concurrency.ReservedConcurrentExecutions != nil && *concurrency.ReservedConcurrentExecutions == 0:
		i.State = aloft.Stopped
	case config.State == "Failed":
		i.State, i.Reason = aloft.Crashed, discreet(sdk.ToString(config.StateReason))
	case config.State == "Pending":
		i.State = aloft.Starting
	case config.State == "Inactive":
		i.State = aloft.Idle
	case recorded != "" && sdk.ToString(config.Version) != recorded:
		i.Reason = "the alias " + stack.Live + " leads to version " + sdk.ToString(config.Version) + ", the record of " + title(release) + " says " + recorded +
			": somebody moved it, or a deploy is under way; aloft up " + release.Stage + " --force"
	}
	return i, nil
}

// Settled reports whether a release that was never finished serves in fact, in all its regions: the run that deployed it
// ended between the last of its steps and the record of it. A change that is still under way is waited for.
func (p *Platform) Settled(ctx context.Context, release aloft.Release, report aloft.Reporter) (bool, error) {
	if release.AWS == nil || release.Artifact.Digest == "" {
		return false, nil
	}
	made, err := p.versionsOf(ctx, release)
	if err != nil {
		return false, err
	}
	for _, name := range release.AWS.Regions {
		serves, err := p.in(name).serves(ctx, release, made.Regions[name].Versions, report)
		if err != nil || !serves {
			return false, err
		}
	}
	return len(lambdaFunctions(release)) > 0, nil
}

// serves reports whether a release's versions are behind the aliases: those of its record, or those with its title.
func (r *region) serves(ctx context.Context, release aloft.Release, recorded map[string]string, report aloft.Reporter) (bool, error) {
	found, err := r.stackOf(ctx, StackName(release))
	if err != nil || found == nil {
		return false, err
	}
	if conditionOf(found.StackStatus) == busy {
		if err := r.wait(ctx, found, report); err != nil {
			return false, err
		}
	}
	for _, f := range lambdaFunctions(release) {
		function := release.NameOf(f)
		config, err := r.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &function, Qualifier: sdk.String(stack.Live)})
		if is(err, noResource) {
			return false, nil
		}
		if err != nil {
			return false, r.Session.explain(err, "look at "+function+" in "+r.name)
		}
		version := sdk.ToString(config.Version)
		if recorded[f.Name] != version && sdk.ToString(config.Description) != title(release) {
			return false, nil
		}
	}
	return true, nil
}
