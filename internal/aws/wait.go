package aws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/aloft-run/aloft"
)

// wait returns when nobody changes the stack any more. That may take days, if what is made is a certificate whose DNS record is
// missing: so it says what is under way, and how to give it up.
func (r *region) wait(ctx context.Context, found *types.Stack, report aloft.Reporter) error {
	name := sdk.ToString(found.StackName)
	report.Report(aloft.Notice{Text: fmt.Sprintf("%s: somebody changes the stack %s (%s); waiting for it", r.name, name, found.StackStatus)})
	if giveUp := r.giveUpCommand(found); giveUp != "" {
		report.Report(aloft.Notice{Text: r.name + ": to have that change taken back instead: " + giveUp})
	}
	told := map[string]bool{}
	for found != nil && conditionOf(found.StackStatus) == busy {
		r.tellWork(ctx, found, told, report)
		if err := r.pause(ctx); err != nil {
			return r.leftWaiting(err, found)
		}
		now, err := r.stackOf(ctx, sdk.ToString(found.StackId))
		if err != nil && ctx.Err() != nil {
			return r.leftWaiting(cmp.Or(lostLock(ctx), ctx.Err()), found)
		}
		if err != nil {
			return err
		}
		found = now
	}
	return nil
}

// giveUpCommand has CloudFormation take a change back; "" if it cannot: it does only with an update.
func (r *region) giveUpCommand(found *types.Stack) string {
	if found.StackStatus != types.StackStatusUpdateInProgress {
		return ""
	}
	return fmt.Sprintf("aws cloudformation cancel-update-stack --stack-name %s --region %s", sdk.ToString(found.StackName), r.name)
}

// leftWaiting is left of who waited for somebody else's change.
func (r *region) leftWaiting(err error, found *types.Stack) error {
	err = r.left(err, sdk.ToString(found.StackName))
	e, ours := errors.AsType[*aloft.Error](err)
	if giveUp := r.giveUpCommand(found); ours && e.Code == aloft.Canceled && giveUp != "" {
		return e.WithHint("%s; to have the change taken back instead: %s", e.Hint, giveUp)
	}
	return err
}

// left is the error of who does not wait for a stack any more.
func (r *region) left(err error, name string) error {
	if _, ours := errors.AsType[*aloft.Error](err); ours { // the lock is lost
		return err
	}
	return aloft.Errorf(aloft.Canceled, "not waiting any more; CloudFormation goes on with the stack %s in %s: %w", name, r.name, err).
		WithHint("the next aloft up waits for it and goes on from there")
}

// tellWork says what of a stack's change is under way, each thing once, and which DNS records it waits for. That the events cannot be
// read does not end the wait.
func (r *region) tellWork(ctx context.Context, found *types.Stack, told map[string]bool, report aloft.Reporter) {
	events, err := r.underway(ctx, found)
	if err != nil {
		r.Logger.Warn("read what is under way", "stack", sdk.ToString(found.StackId), "error", err)
		return
	}
	var parts []string
	for _, e := range events {
		id := sdk.ToString(e.LogicalResourceId)
		if part := fmt.Sprintf("%s (%s)", id, sdk.ToString(e.ResourceType)); !told[part] {
			told[part] = true
			parts = append(parts, part)
		}
	}
	if len(parts) > 0 {
		report.Report(aloft.Notice{Text: fmt.Sprintf("%s: under way in %s: %s", r.name, sdk.ToString(found.StackName), strings.Join(parts, ", "))})
	}
	for _, e := range events {
		line := sdk.ToString(e.LogicalResourceId) + " waits for this DNS record: "
		if record := awaited(e); record != "" && !told[line+record] {
			told[line+record] = true
			report.Report(aloft.Notice{Text: r.name + ": " + line + record + "; make it, unless the name's zone is in Route 53 of this account, where CloudFormation does"})
		}
	}
}

// underway are the events of a stack's change, the oldest first, of resources that are not done yet.
func (r *region) underway(ctx context.Context, found *types.Stack) ([]types.StackEvent, error) {
	var all []types.StackEvent
	working := map[string]bool{} // by the newest event of each
	pages := cloudformation.NewDescribeStackEventsPaginator(r.stacks, &cloudformation.DescribeStackEventsInput{StackName: found.StackId})
	for began := false; pages.HasMorePages() && !began; {
		page, err := pages.NextPage(ctx) // the newest first
		if err != nil {
			return nil, r.Session.explain(err, "read the events of the stack in "+r.name)
		}
		for _, e := range page.StackEvents {
			if sdk.ToString(e.PhysicalResourceId) == sdk.ToString(found.StackId) {
				if began = begins(e.ResourceStatus); began {
					break
				}
				continue
			}
			id := sdk.ToString(e.LogicalResourceId)
			if _, seen := working[id]; !seen {
				working[id] = strings.HasSuffix(string(e.ResourceStatus), "_IN_PROGRESS")
			}
			if working[id] {
				all = append(all, e)
			}
		}
	}
	slices.Reverse(all)
	return all, nil
}

// begins reports whether a stack's own event is the first of a change.
func begins(status types.ResourceStatus) bool {
	switch status { //nolint:exhaustive // all others come later
	case types.ResourceStatusCreateInProgress, types.ResourceStatusUpdateInProgress, types.ResourceStatusDeleteInProgress, types.ResourceStatusImportInProgress:
		return true
	}
	return false
}
