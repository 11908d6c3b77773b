package aws

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

// move leads the aliases to the versions that publish made.
func (r *regional) move(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(r.moves)) {
		known := r.pointers[name]
		if r.executed || r.canary != nil { // it was changed since
			known = nil
		}
		if err := r.point(ctx, pointer{r.out.Functions[name].Lambda, r.moves[name], title(r.release)}, known); err != nil {
			return err
		}
	}
	return nil
}

// pointer is where an alias is to lead.
type pointer struct{ function, version, description string }

// point leads an alias to a version, and to no other. Known is how it was found before, nil: it is looked up. If somebody else moves
// it meanwhile it is looked up again.
func (r *region) point(ctx context.Context, to pointer, known *lambda.GetAliasOutput) error {
	const tries = 5
	function, version := to.function, to.version
	var err error
	for range tries {
		alias := known
		if known = nil; alias == nil {
			if alias, err = r.alias(ctx, function); err != nil {
				return err
			}
		}
		if alias == nil {
			return aloft.Errorf(aloft.Failed, "%s in %s has no alias %s", function, r.name, stack.Live).WithHint("aloft up --force makes the stack again")
		}
		if leadsTo(alias, version) {
			return nil
		}
		_, err = r.lambda.UpdateAlias(ctx, &lambda.UpdateAliasInput{
			FunctionName: &function, Name: sdk.String(stack.Live), FunctionVersion: &version, Description: &to.description,
			RevisionId: alias.RevisionId, RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{}},
		})
		if err == nil {
			return nil
		}
		if !is(err, precondition) && !unsure(err) {
			break
		}
	}
	return r.Session.explain(err, fmt.Sprintf("lead requests for %s in %s to its version %s", function, r.name, version))
}

// leadsTo reports whether an alias leads to a version, and to no other.
func leadsTo(alias *lambda.GetAliasOutput, version string) bool {
	return sdk.ToString(alias.FunctionVersion) == version && (alias.RoutingConfig == nil || len(alias.RoutingConfig.AdditionalVersionWeights) == 0)
}

// resume lets functions run that were stopped.
func (r *regional) resume(ctx context.Context) error {
	tuned := map[string]*aloft.Lambda{}
	for _, f := range r.release.Tuned() {
		tuned[f.Name] = f.Lambda
	}
	for _, name := range slices.Sorted(maps.Keys(r.out.Functions)) {
		var reserved *int
		if l := tuned[name]; l != nil {
			reserved = l.Reserved
		}
		if reserved != nil && *reserved == 0 {
			continue
		}
		if err := r.unstop(ctx, r.out.Functions[name].Lambda, reserved); err != nil {
			return err
		}
	}
	return nil
}

func (r *region) unstop(ctx context.Context, function string, reserved *int) error {
	now, err := r.lambda.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &function})
	if err != nil {
		return r.Session.explain(err, "look at "+function+" in "+r.name)
	}
	if now.ReservedConcurrentExecutions == nil || *now.ReservedConcurrentExecutions != 0 {
		return nil
	}
	if reserved == nil {
		_, err = r.lambda.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: &function})
	} else {
		_, err = r.lambda.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{
			FunctionName: &function, ReservedConcurrentExecutions: sdk.Int32(int32(*reserved)),
		})
	}
	return r.Session.explain(err, "let "+function+" in "+r.name+" run again")
}

// restore makes the current release serve again in a region, after the new one failed somewhere. Who interrupted it does not
// wait for CloudFormation.
func (r *regional) restore(ctx context.Context, interrupted bool) error {
	if r.current.Version == 0 {
		return nil // nobody knows the address yet; the next run goes on from here
	}
	if r.held || r.executed && interrupted {
		if err := r.restoreAliases(ctx); err != nil { // at once: a stack takes its time
			return err
		}
	}
	if r.executed && interrupted {
		return r.tellLeft(ctx)
	}
	if r.executed {
		return r.restoreStack(ctx)
	}
	return r.restoreAliases(ctx)
}

// tellLeft says what the next run finds.
func (r *regional) tellLeft(ctx context.Context) error {
	name := StackName(r.release)
	found, err := r.stackOf(ctx, name)
	switch {
	case err != nil || found == nil:
		return err
	case conditionOf(found.StackStatus) == busy:
		r.report.Report(aloft.Notice{Text: fmt.Sprintf("%s: CloudFormation is at work on the stack %s (%s); the next aloft up waits for that", r.name, name, found.StackStatus)})
	case outputOf(found, stack.OutputRelease) == title(r.release):
		r.report.Report(aloft.Notice{Text: fmt.Sprintf("%s: the stack %s has what %s needs; the next aloft up goes on from there", r.name, name, title(r.release))})
	}
	return nil
}

// putThere reports whether this run led an alias to where it leads: itself, or CloudFormation, taking a change back, to the release
// of its own last change, which is older than what served.
func (r *regional) putThere(name string, alias *lambda.GetAliasOutput) bool {
	if moved := r.moves[name]; moved != "" && contains(alias, moved) {
		return true
	}
	now, err := strconv.Atoi(sdk.ToString(alias.FunctionVersion))
	before, beforeErr := strconv.Atoi(r.serving[name])
	return r.executed && errors.Join(err, beforeErr) == nil && now < before
}

// restoreAliases leads the aliases to where they led before, but for those that somebody else moved since. CloudFormation, taking a
// change back, may have led them to the release of its own last change, though later ones changed only code.
func (r *regional) restoreAliases(ctx context.Context) error {
	moved := false
	for _, name := range slices.Sorted(maps.Keys(r.serving)) {
		function := r.out.Functions[name].Lambda
		alias, err := r.alias(ctx, function)
		if err != nil {
			return err
		}
		if alias == nil || leadsTo(alias, r.serving[name]) || !r.putThere(name, alias) {
			continue
		}
		if err := r.point(ctx, pointer{function, r.serving[name], title(r.current)}, alias); err != nil {
			return err
		}
		moved = true
	}
	if moved {
		r.report.Report(aloft.Notice{Text: fmt.Sprintf("%s: %s serves again", r.name, title(r.current))})
	}
	return nil
}

// restoreStack returns a stack that was changed to the current release.
func (r *regional) restoreStack(ctx context.Context) error {
	found, err := r.ready(ctx, stageStack(r.release), r.report)
	if err != nil || found == nil || outputOf(found, stack.OutputRelease) != title(r.release) {
		if err == nil {
			err = r.restoreAliases(ctx) // CloudFormation took it back
		}
		return err
	}
	d, err := r.deploymentOf(ctx, r.current, r.report)
	if err != nil {
		return err
	}
	back := &regional{region: r.region, deployment: d}
	if err := back.prepare(ctx); err != nil {
		return err
	}
	if err := back.move(ctx); err != nil {
		return err
	}
	r.report.Report(aloft.Notice{Text: fmt.Sprintf("%s: the stack is that of %s again, which serves", r.name, title(r.current))})
	return nil
}
