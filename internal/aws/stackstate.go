package aws

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/aloft-run/aloft"
)

// condition is what a stack needs before it can be changed.
type condition int

const (
	absent     condition = iota // make it
	whole                       // change it
	inReview                    // made by a change set that was not executed: make it, by another
	busy                        // somebody changes it: wait
	neverWas                    // its creation failed: nothing ever served. Delete it, make it again
	halfBack                    // its return to what it was failed: go on with that
	halfGone                    // its deletion failed: delete it
	unfinished                  // an import failed or was taken back: change it
)

// conditionOf tells from a status what a stack needs; see the list of statuses in CloudFormation's guide, "Stack status codes".
func conditionOf(status types.StackStatus) condition {
	switch status { //nolint:exhaustive // the names of the others tell
	case "", types.StackStatusDeleteComplete:
		return absent
	case types.StackStatusReviewInProgress:
		return inReview
	case types.StackStatusRollbackComplete, types.StackStatusRollbackFailed, types.StackStatusCreateFailed:
		return neverWas
	case types.StackStatusUpdateRollbackFailed:
		return halfBack
	case types.StackStatusDeleteFailed:
		return halfGone
	case types.StackStatusImportRollbackFailed:
		return unfinished
	}
	if strings.HasSuffix(string(status), "_IN_PROGRESS") {
		return busy
	}
	return whole
}

// stackOf describes a stack; nil means that there is none. A name finds no deleted stack, an ARN does.
func (r *region) stackOf(ctx context.Context, name string) (*types.Stack, error) {
	out, err := r.stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if is(err, "ValidationError") && strings.Contains(apiMessage(err), "does not exist") {
		return nil, nil //nolint:nilnil // no stack is an answer, not an error
	}
	if err != nil {
		return nil, r.Session.explain(err, "look at the stack "+name+" in "+r.name)
	}
	if len(out.Stacks) == 0 || conditionOf(out.Stacks[0].StackStatus) == absent {
		return nil, nil //nolint:nilnil // as above
	}
	return &out.Stacks[0], nil
}

func outputOf(s *types.Stack, key string) string {
	if s == nil {
		return ""
	}
	for _, o := range s.Outputs {
		if sdk.ToString(o.OutputKey) == key {
			return sdk.ToString(o.OutputValue)
		}
	}
	return ""
}

// maxRepairs bounds the steps to a stack that can be changed: a wait, a repair, a deletion, each perhaps twice.
const maxRepairs = 8

// ready brings a stack to where it can be changed, or made: it waits for who changes it, and repairs what an earlier change
// left. It returns the stack, nil if there is none.
func (r *region) ready(ctx context.Context, o owned, report aloft.Reporter) (*types.Stack, error) {
	name := o.stack
	for range maxRepairs {
		found, err := r.stackOf(ctx, name)
		if err != nil || found == nil {
			return nil, err
		}
		if err := r.own(ctx, found, o); err != nil {
			return nil, err
		}
		switch conditionOf(found.StackStatus) {
		case absent, whole, unfinished, inReview:
			return found, nil
		case busy:
			err = r.wait(ctx, found, report)
		case neverWas:
			report.Report(aloft.Notice{Text: fmt.Sprintf("%s: the stack %s was never made whole (%s); it is deleted and made again", r.name, name, found.StackStatus)})
			err = r.deleteLeft(ctx, found, o, report)
		case halfGone:
			report.Report(aloft.Notice{Text: fmt.Sprintf("%s: the deletion of the stack %s goes on", r.name, name)})
			err = r.deleteLeft(ctx, found, o, report)
		case halfBack:
			err = r.goBack(ctx, found, report)
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, aloft.Errorf(aloft.Failed, "the stack %s in %s does not come to rest", name, r.name).
		WithHint("see what it says: aws cloudformation describe-stack-events --stack-name %s --region %s", name, r.name)
}

// goBack lets a failed return to what was go on. If that fails again, what cannot return is named and left as it is.
func (r *region) goBack(ctx context.Context, found *types.Stack, report aloft.Reporter) error {
	name, id := sdk.ToString(found.StackName), sdk.ToString(found.StackId)
	report.Report(aloft.Notice{Text: fmt.Sprintf("%s: an earlier change of the stack %s could not be taken back; trying again", r.name, name)})
	status, err := r.continueBack(ctx, found, nil)
	if err != nil || status != types.StackStatusUpdateRollbackFailed {
		return err
	}
	stuck, err := r.stuck(ctx, id)
	if err != nil {
		return err
	}
	skip := make([]string, len(stuck))
	for i, s := range stuck {
		skip[i] = sdk.ToString(s.LogicalResourceId)
		report.Report(aloft.Warning{Text: fmt.Sprintf("%s: %s (%s) stays as it is, CloudFormation cannot take it back: %s", r.name, skip[i], sdk.ToString(s.ResourceType), discreet(sdk.ToString(s.ResourceStatusReason)))})
	}
	if len(skip) > 0 { // else it was tried
		status, err = r.continueBack(ctx, found, skip)
	}
	if err == nil && status == types.StackStatusUpdateRollbackFailed {
		err = aloft.Errorf(aloft.Failed, "the stack %s in %s cannot return to what it was: %s", name, r.name, cmp.Or(strings.Join(skip, ", "), discreet(sdk.ToString(found.StackStatusReason)), "CloudFormation does not say why")).
			WithHint("mend what it names, then: %s", r.backCommand(found, nil))
	}
	return err
}

// backCommand has CloudFormation go on with a return to what was, but for resources that stay as they are.
func (r *region) backCommand(found *types.Stack, skip []string) string {
	command := "aws cloudformation continue-update-rollback --stack-name " + sdk.ToString(found.StackName)
	if len(skip) > 0 {
		command += " --resources-to-skip " + strings.Join(skip, " ")
	}
	return command + " --region " + r.name
}

func (r *region) continueBack(ctx context.Context, found *types.Stack, skip []string) (types.StackStatus, error) {
	id := sdk.ToString(found.StackId)
	_, err := r.stacks.ContinueUpdateRollback(ctx, &cloudformation.ContinueUpdateRollbackInput{
		StackName: &id, ResourcesToSkip: skip, ClientRequestToken: sdk.String(token("back")),
	})
	if is(err, "ValidationError") {
		return "", aloft.Errorf(aloft.Failed, "the stack %s in %s cannot return to what it was: %s", sdk.ToString(found.StackName), r.name, apiMessage(err)).
			WithHint("mend what it names, and do by hand what aloft tried: %s", r.backCommand(found, skip))
	}
	if err != nil {
		return "", r.Session.explain(err, "let the stack return to what it was")
	}
	for {
		if err := r.pause(ctx); err != nil {
			return "", r.left(err, id)
		}
		found, err := r.stackOf(ctx, id)
		if err != nil {
			return "", err
		}
		if found == nil || conditionOf(found.StackStatus) != busy {
			return statusOf(found), nil
		}
	}
}

func statusOf(s *types.Stack) types.StackStatus {
	if s == nil {
		return ""
	}
	return s.StackStatus
}

// wasCancelled finds CloudFormation's words: "Resource update cancelled".
var wasCancelled = regexp.MustCompile(`(?i)\bcancell?ed\b`)

// stuck are the resources that could not be changed back. CloudFormation leaves out no others, such as those whose change it only
// cancelled because another failed.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html (ResourcesToSkip)
func (r *region) stuck(ctx context.Context, id string) ([]types.StackResourceSummary, error) {
	var all []types.StackResourceSummary
	pages := cloudformation.NewListStackResourcesPaginator(r.stacks, &cloudformation.ListStackResourcesInput{StackName: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, r.Session.explain(err, "list what the stack has")
		}
		for _, one := range page.StackResourceSummaries {
			cancelled := wasCancelled.MatchString(sdk.ToString(one.ResourceStatusReason))
			if one.ResourceStatus == types.ResourceStatusUpdateFailed && !cancelled {
				all = append(all, one)
			}
		}
	}
	return all, nil
}

// delete deletes a stack and waits until it is gone. What its template retains stays. A deletion that fails is tried once
// more, then what cannot be deleted is named and left.
func (r *region) delete(ctx context.Context, found *types.Stack, report aloft.Reporter) error {
	return r.deleteAfter(ctx, found, func() error { return nil }, report)
}

// deleteLeft deletes what is left of a stack that was never whole, or of a deletion.
func (r *region) deleteLeft(ctx context.Context, found *types.Stack, o owned, report aloft.Reporter) error {
	if o.stack == AccountStack && o.ref == (aloft.StageRef{}) && sdk.ToBool(found.EnableTerminationProtection) { // older aloft protected it from its beginning
		if err := r.setProtected(ctx, sdk.ToString(found.StackId), false); err != nil {
			return err
		}
	}
	return r.delete(ctx, found, report)
}

// deleteAfter deletes a stack as delete does, and does something before each try. found is the stack as it is now.
func (r *region) deleteAfter(ctx context.Context, found *types.Stack, before func() error, report aloft.Reporter) error {
	id, name := sdk.ToString(found.StackId), sdk.ToString(found.StackName)
	modes := []types.DeletionMode{types.DeletionModeStandard, types.DeletionModeStandard, types.DeletionModeForceDeleteStack}
	for i, mode := range modes {
		if err := before(); err != nil {
			return err
		}
		if i > 0 { // as the try before left it: else that one's end would be taken for this one's
			now, err := r.stackOf(ctx, id)
			if err != nil || now == nil {
				return err
			}
			found = now
		}
		seen, err := r.seenBefore(ctx, id)
		if err != nil {
			return err
		}
		input := &cloudformation.DeleteStackInput{StackName: &id, ClientRequestToken: sdk.String(token("delete"))}
		if mode != types.DeletionModeStandard {
			input.DeletionMode = mode
		}
		if _, err := r.stacks.DeleteStack(ctx, input); err != nil && !unsure(err) {
			return r.Session.explain(err, "delete the stack "+name+" in "+r.name)
		}
		status, reason, err := r.follow(ctx, following{name: name, id: id, seen: seen, report: report, before: found})
		if err != nil || status == "" || status == types.StackStatusDeleteComplete {
			return err
		}
		report.Report(aloft.Warning{Text: fmt.Sprintf("%s: the stack %s is not deleted yet: %s", r.name, name, reason)})
	}
	return aloft.Errorf(aloft.Failed, "the stack %s in %s cannot be deleted", name, r.name).
		WithHint("aws cloudformation delete-stack --deletion-mode FORCE_DELETE_STACK --stack-name %s --region %s", name, r.name)
}
