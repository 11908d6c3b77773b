package aws

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/aloft-run/aloft"
)

// following is a change of a stack that is under way.
type following struct {
	name, id string
	seen     map[string]bool // events of earlier changes; nil: there were none
	report   aloft.Reporter
	before   *types.Stack      // as it was; nil: it was not there
	token    string            // of the request that began it
	set      string            // the change set; "": there is none
	zones    map[string]string // see change
}

// settling is how many looks may find a stack as it was before: the change has not begun then. Later it is over, without a trace.
const settling = 15

// over reports whether a status that ends a change is that of this one.
func (f following) over(found *types.Stack, looks int) bool {
	status := statusOf(found)
	if status == "" {
		return true
	}
	if conditionOf(status) == busy || status == types.StackStatusReviewInProgress {
		return false
	}
	same := f.before != nil && f.before.StackStatus == status && sdk.ToTime(f.before.LastUpdatedTime).Equal(sdk.ToTime(found.LastUpdatedTime))
	return !same || looks > settling
}

// isOver is over, but for a stack that goes on looking as before, or goes on being in review: its change set tells then whether the
// change has begun.
func (r *region) isOver(ctx context.Context, f following, found *types.Stack, looks int) (bool, error) {
	over, reviewed := f.over(found, looks), statusOf(found) == types.StackStatusReviewInProgress
	if !over && !reviewed || looks <= settling || f.set == "" {
		return over, nil
	}
	set, err := r.stacks.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{ChangeSetName: &f.set})
	if is(err, "ChangeSetNotFound", "ChangeSetNotFoundException") {
		if reviewed { // with no change set left, nothing goes on
			err = r.failure(change{stack: f.name}, found.StackStatus, "CloudFormation did not begin the change, and has its change set no more")
			return false, err
		}
		return true, nil
	}
	if err != nil {
		return false, r.Session.explain(err, "look how the change of the stack "+f.name+" in "+r.name+" goes")
	}
	if set.ExecutionStatus == types.ExecutionStatusExecuteFailed { // with a trace it would not look as before
		reason := cmp.Or(discreet(sdk.ToString(set.StatusReason)), "CloudFormation could not begin the change, and does not say why")
		return false, r.failure(change{stack: f.name}, found.StackStatus, reason)
	}
	waits := set.ExecutionStatus == types.ExecutionStatusAvailable || set.ExecutionStatus == types.ExecutionStatusExecuteInProgress
	return over && !waits, nil
}

// token names one request, so that it is done once however often it is sent. CloudFormation shows it with the events.
func token(what string) string { return "aloft-" + what + "-" + strings.ToLower(rand.Text()) }

// follow reports what happens to a stack until it comes to rest. It returns the status then, "" if the stack is gone, and why
// the first thing failed that did.
func (r *region) follow(ctx context.Context, f following) (types.StackStatus, string, error) {
	seen := f.seen
	if seen == nil {
		seen = map[string]bool{}
	}
	started, reason := map[string]time.Time{}, ""
	for looks := 0; ; looks++ {
		found, err := r.stackOf(ctx, f.id)
		if err != nil {
			return "", "", err
		}
		events, err := r.events(ctx, f.id, seen)
		if err != nil {
			return "", "", err
		}
		for _, e := range events {
			r.tell(f, e, started)
			reason = cmp.Or(reason, whyOf(e, f.name))
		}
		over, err := r.isOver(ctx, f, found, looks)
		if err != nil {
			return "", "", err
		}
		if over {
			if reason == "" && found != nil {
				reason = discreet(sdk.ToString(found.StackStatusReason))
			}
			return statusOf(found), reason, nil
		}
		if err := r.pause(ctx); err != nil {
			return "", "", r.left(err, f.name)
		}
	}
}

// seenBefore are the newest events that a stack has before a change of it begins: those after them are read until one of them.
func (r *region) seenBefore(ctx context.Context, id string) (map[string]bool, error) {
	seen := map[string]bool{}
	page, err := r.stacks.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: &id}) // newest first
	if is(err, "ValidationError") {
		return seen, nil
	}
	if err != nil {
		return nil, r.Session.explain(err, "read the events of the stack in "+r.name)
	}
	for _, e := range page.StackEvents {
		seen[sdk.ToString(e.EventId)] = true
	}
	return seen, nil
}

// events are those of a stack that are not seen yet, oldest first. It marks them.
func (r *region) events(ctx context.Context, id string, seen map[string]bool) ([]types.StackEvent, error) {
	var all []types.StackEvent
	pages := cloudformation.NewDescribeStackEventsPaginator(r.stacks, &cloudformation.DescribeStackEventsInput{StackName: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if is(err, "ValidationError") {
			break // gone, with its events
		}
		if err != nil {
			return nil, r.Session.explain(err, "read the events of the stack in "+r.name)
		}
		known := false
		for _, e := range page.StackEvents {
			if seen[sdk.ToString(e.EventId)] {
				known = true
				continue
			}
			all = append(all, e)
			seen[sdk.ToString(e.EventId)] = true
		}
		if known {
			break
		}
	}
	slices.Reverse(all)
	return all, nil
}

// tell reports an event: that something came to be, is gone, or failed. The stack's own events say nothing more.
func (r *region) tell(f following, e types.StackEvent, started map[string]time.Time) {
	id, status := sdk.ToString(e.LogicalResourceId), string(e.ResourceStatus)
	if sdk.ToString(e.PhysicalResourceId) == f.id || sdk.ToString(e.ResourceType) == "AWS::CloudFormation::Stack" && id == f.name {
		return
	}
	at := sdk.ToTime(e.Timestamp)
	if strings.HasSuffix(status, "_IN_PROGRESS") {
		if record := awaited(e); record != "" {
			f.report.Report(aloft.Notice{Text: r.name + ": " + id + " waits " + waitsFor(record, f.zones[id])})
		}
		if started[id].IsZero() {
			started[id] = at
		}
		return
	}
	elapsed := time.Duration(0)
	if since := started[id]; !since.IsZero() {
		elapsed = at.Sub(since)
	}
	delete(started, id)
	line := fmt.Sprintf("%s  %s  %s (%s)", r.name, became(status), id, sdk.ToString(e.ResourceType))
	if !strings.HasSuffix(status, "_FAILED") {
		f.report.Report(aloft.PartDone{Step: aloft.StepStart, Text: line, Elapsed: elapsed})
		return
	}
	if !consequence(e) {
		line += ": " + strings.Join(strings.Fields(discreet(sdk.ToString(e.ResourceStatusReason))), " ")
	}
	f.report.Report(aloft.Output{Step: aloft.StepStart, Text: line})
}

// awaited is the DNS record that an event says a certificate waits for; "" of all other events.
func awaited(e types.StackEvent) string {
	_, record, _ := strings.Cut(sdk.ToString(e.ResourceStatusReason), "Content of DNS Record is: ")
	return recordText(record)
}

// waitsFor says what a certificate waits for: somebody has to make the record, but in a zone of Route 53, which CloudFormation writes.
func waitsFor(record, zone string) string {
	if zone == "" {
		return "for this DNS record, make it: " + record
	}
	return "until AWS sees its record, which is in the zone " + zone + "; if that takes more than some minutes, the domain's name servers are not those of the zone: aloft domains names them"
}

// became says in a word what a status means; the status itself, in small letters, of those that have no word.
func became(status string) string {
	words := map[string]string{
		"CREATE_COMPLETE": "created", "UPDATE_COMPLETE": "updated", "DELETE_COMPLETE": "deleted", "DELETE_SKIPPED": "kept", "IMPORT_COMPLETE": "taken in",
	}
	return cmp.Or(words[status], strings.ToLower(strings.ReplaceAll(status, "_", " ")))
}

var recordFields = regexp.MustCompile(`^\{Name: (\S+?)\.?,Type: (\S+?),Value: (\S+?)\.?\}$`)

// recordText is a DNS record as CloudFormation writes it in an event, as people do.
func recordText(text string) string {
	if parts := recordFields.FindStringSubmatch(text); parts != nil {
		return strings.Join(parts[1:], " ")
	}
	return text
}

// consequence reports whether something failed only because something else did.
func consequence(e types.StackEvent) bool {
	reason := sdk.ToString(e.ResourceStatusReason)
	return strings.Contains(reason, "cancelled") || strings.HasPrefix(reason, "The following resource(s) failed")
}

// whyOf is the reason of a failure that is not the consequence of another; "" for all other events.
func whyOf(e types.StackEvent, stack string) string {
	if !strings.HasSuffix(string(e.ResourceStatus), "_FAILED") || consequence(e) || sdk.ToString(e.ResourceStatusReason) == "" {
		return ""
	}
	id, reason := sdk.ToString(e.LogicalResourceId), discreet(sdk.ToString(e.ResourceStatusReason))
	if id == stack {
		return reason
	}
	return fmt.Sprintf("%s (%s): %s", id, sdk.ToString(e.ResourceType), reason)
}
