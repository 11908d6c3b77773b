package aws

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/aloft-run/aloft"
)

// inlineTemplate is how many bytes of a template a request may have; longer ones come from the bucket.
const inlineTemplate = 51_200

// change is what a stack is to become.
type change struct {
	stack      string
	title      string // of the change set: "v12"
	template   []byte
	parameters map[string]string
	tags       map[string]string
	zones      map[string]string        // of the certificates that are proved in Route 53, by their logical ids
	keeps      bool                     // it must not cost the stack a store; nobody is asked
	imports    []types.ResourceToImport // what exists already and becomes part of the stack; nothing else can change then
}

// execute makes a stack what the change says, and waits. A stack that is that already stays as it is.
func (r *region) execute(ctx context.Context, found *types.Stack, c change, report aloft.Reporter) error {
	set, changes, err := r.changeSet(ctx, found, c)
	if err == nil && changes && c.keeps {
		err = r.harmless(ctx, set, c)
	}
	if err != nil || !changes {
		return err
	}
	f := following{name: c.stack, id: sdk.ToString(set.StackId), report: report, before: found, zones: c.zones}
	if f.seen, err = r.seenBefore(ctx, f.id); err != nil {
		return err
	}
	f.token, f.set = token(c.title), sdk.ToString(set.ChangeSetId)
	if err := r.start(ctx, set, c, f.token); err != nil {
		return err
	}
	status, reason, err := r.follow(ctx, f)
	if err != nil {
		r.takeBack(ctx, f)
		if ctx.Err() != nil {
			err = r.left(cmp.Or(lostLock(ctx), ctx.Err()), c.stack)
		}
		return err
	}
	switch status { //nolint:exhaustive // all others are failures
	case types.StackStatusCreateComplete, types.StackStatusUpdateComplete, types.StackStatusImportComplete:
		return nil
	}
	if strings.Contains(reason, "DescribeEvents") {
		reason = cmp.Or(r.invalid(ctx, &cloudformation.DescribeEventsInput{StackName: &f.id}), reason)
	}
	return r.failure(c, status, reason)
}

// failure is the error of a change that did not come to be: its reason first.
func (r *region) failure(c change, status types.StackStatus, reason string) error {
	e := aloft.Errorf(aloft.Failed, "%s: %s", r.name, reason)
	if status == types.StackStatusUpdateRollbackFailed {
		return e.WithHint("mend that, then aloft up again: it first lets the stack %s return to what it was", c.stack)
	}
	return e.WithHint("mend that, then type the same command again; the stack %s in %s is %s", c.stack, r.name, status)
}

// takeBack lets CloudFormation undo a change that somebody interrupted: so what served before goes on serving. A change that only
// takes longer than is waited for is itself a return to what served, see restoreLimit. A stack that is being made serves nobody
// yet; it is gone on with by the next run. What is under way may be somebody else's change by now.
func (r *region) takeBack(ctx context.Context, f following) {
	if !errors.Is(ctx.Err(), context.Canceled) || lostLock(ctx) != nil || f.before == nil || conditionOf(f.before.StackStatus) == inReview {
		return
	}
	const limit = 10 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	events, err := r.stacks.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: &f.id})
	if err != nil || len(events.StackEvents) > 0 && !ofRequest(events.StackEvents[0], f.token) {
		return
	}
	_, err = r.stacks.CancelUpdateStack(ctx, &cloudformation.CancelUpdateStackInput{StackName: &f.id, ClientRequestToken: sdk.String(token("cancel"))})
	if err != nil {
		r.Logger.Warn("cancel the update", "stack", f.id, "error", err)
	}
}

// ofRequest reports whether an event is of the request with a token. Not all emulators tell.
func ofRequest(e types.StackEvent, token string) bool {
	return e.ClientRequestToken == nil || *e.ClientRequestToken == token
}

// changeSet makes a change set and waits until CloudFormation knows what it would do. It reports false if that is nothing.
func (r *region) changeSet(ctx context.Context, found *types.Stack, c change) (*cloudformation.DescribeChangeSetOutput, bool, error) {
	input, err := r.changeSetInput(ctx, found, c)
	if err != nil {
		return nil, false, err
	}
	made, err := r.stacks.CreateChangeSet(ctx, input)
	name, owner := input.ChangeSetName, input.StackName
	switch {
	case err == nil: // by name some would find another stack's
		name, owner = made.Id, nil
	case !is(err, "AlreadyExistsException"): // else the answer to an earlier try was lost
		return nil, false, r.Session.explain(err, "plan the change of the stack "+c.stack+" in "+r.name)
	}
	for {
		set, err := r.stacks.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{ChangeSetName: name, StackName: owner})
		if err != nil {
			return nil, false, r.Session.explain(err, "read the plan of the stack "+c.stack+" in "+r.name)
		}
		switch set.Status { //nolint:exhaustive // all others are under way
		case types.ChangeSetStatusCreateComplete:
			return set, true, nil
		case types.ChangeSetStatusFailed:
			return r.unplanned(ctx, set)
		}
		if err := r.pause(ctx); err != nil {
			return nil, false, r.Session.explain(err, "wait for the plan of the stack "+c.stack)
		}
	}
}

// unplanned says why there is no plan: nothing would change, or it is impossible.
func (r *region) unplanned(ctx context.Context, set *cloudformation.DescribeChangeSetOutput) (*cloudformation.DescribeChangeSetOutput, bool, error) {
	reason := discreet(sdk.ToString(set.StatusReason))
	if strings.Contains(reason, "DescribeEvents") {
		reason = cmp.Or(r.invalid(ctx, &cloudformation.DescribeEventsInput{ChangeSetName: set.ChangeSetId}), reason)
	}
	_, err := r.stacks.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{ChangeSetName: set.ChangeSetId})
	if err != nil {
		r.Logger.Warn("delete a change set", "id", sdk.ToString(set.ChangeSetId), "error", err)
	}
	if strings.Contains(reason, "didn't contain changes") || strings.Contains(reason, "No updates are to be performed") {
		return set, false, nil
	}
	return nil, false, aloft.Errorf(aloft.Failed, "%s: %s", r.name, reason).WithHint("see the template: aloft export cloudformation DIR; then type the same command again")
}

// invalid is what CloudFormation found wrong with a change before it began: what its reason refers to. It is "" if that cannot be
// read.
func (r *region) invalid(ctx context.Context, of *cloudformation.DescribeEventsInput) string {
	of.Filters = &types.EventFilter{FailedEvents: sdk.Bool(true)}
	out, err := r.stacks.DescribeEvents(ctx, of)
	if err != nil {
		r.Logger.Warn("read why a change failed", "error", err)
		return ""
	}
	var all []string
	for _, e := range out.OperationEvents {
		reason := cmp.Or(sdk.ToString(e.ValidationStatusReason), sdk.ToString(e.ResourceStatusReason))
		newest := sdk.ToString(e.OperationId) == sdk.ToString(out.OperationEvents[0].OperationId)
		if newest && reason != "" && sdk.ToString(e.ResourceType) != "AWS::CloudFormation::Stack" {
			all = append(all, fmt.Sprintf("%s (%s): %s", sdk.ToString(e.LogicalResourceId), sdk.ToString(e.ResourceType), discreet(reason)))
		}
	}
	return strings.Join(all, "\n")
}

func (r *region) changeSetInput(ctx context.Context, found *types.Stack, c change) (*cloudformation.CreateChangeSetInput, error) {
	input := &cloudformation.CreateChangeSetInput{
		StackName: &c.stack, ChangeSetName: sdk.String("aloft-" + c.title + "-" + strings.ToLower(rand.Text()[:8])),
		ClientToken: sdk.String(token("plan")), Description: sdk.String("aloft " + c.title),
		Capabilities: []types.Capability{types.CapabilityCapabilityIam, types.CapabilityCapabilityNamedIam},
		Parameters:   parameters(c.parameters), Tags: tags(c.tags), ResourcesToImport: c.imports,
		ChangeSetType: types.ChangeSetTypeUpdate,
	}
	switch {
	case c.imports != nil: // nothing else may change
		input.ChangeSetType, input.Tags, input.Parameters = types.ChangeSetTypeImport, nil, nil
		if found != nil {
			for _, p := range found.Parameters {
				input.Parameters = append(input.Parameters, types.Parameter{ParameterKey: p.ParameterKey, UsePreviousValue: sdk.Bool(true)})
			}
		}
	case found == nil || conditionOf(found.StackStatus) == inReview:
		input.ChangeSetType = types.ChangeSetTypeCreate
	}
	if len(c.template) <= inlineTemplate {
		input.TemplateBody = sdk.String(string(c.template))
		return input, nil
	}
	url, err := r.putTemplate(ctx, c.template)
	input.TemplateURL = &url
	return input, err
}

// start executes a change set. If the answer is lost it looks whether AWS began.
func (r *region) start(ctx context.Context, set *cloudformation.DescribeChangeSetOutput, c change, token string) error {
	_, err := r.stacks.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{
		ChangeSetName: set.ChangeSetId, ClientRequestToken: &token,
	})
	if err == nil {
		return nil
	}
	what := fmt.Sprintf("change the stack %s in %s", c.stack, r.name)
	if !unsure(err) && !is(err, "InvalidChangeSetStatus") {
		return r.Session.explain(err, what)
	}
	now, lookErr := r.stacks.DescribeChangeSet(context.WithoutCancel(ctx), &cloudformation.DescribeChangeSetInput{ChangeSetName: set.ChangeSetId})
	began := []types.ExecutionStatus{types.ExecutionStatusExecuteInProgress, types.ExecutionStatusExecuteComplete, types.ExecutionStatusExecuteFailed}
	if lookErr == nil && slices.Contains(began, now.ExecutionStatus) {
		return nil // how it went the stack's events say
	}
	return r.Session.explain(err, what)
}

func parameters(values map[string]string) []types.Parameter {
	var all []types.Parameter
	for _, key := range slices.Sorted(maps.Keys(values)) {
		all = append(all, types.Parameter{ParameterKey: sdk.String(key), ParameterValue: sdk.String(values[key])})
	}
	return all
}

func tags(values map[string]string) []types.Tag {
	var all []types.Tag
	for _, key := range slices.Sorted(maps.Keys(values)) {
		all = append(all, types.Tag{Key: sdk.String(key), Value: sdk.String(values[key])})
	}
	return all
}
