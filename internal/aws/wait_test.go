package aws_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
)

// events are those of the account's stack, the newest first: of each its resource, status and reason.
func events(all ...[3]string) string {
	var b strings.Builder
	for i, e := range all {
		physical := e[0]
		if e[0] == "aloft" {
			physical = "arn:aws:cloudformation:eu-west-1:1:stack/aloft/x"
		}
		fmt.Fprintf(&b, "<member><EventId>%d</EventId><StackId>s</StackId><StackName>aloft</StackName><Timestamp>2026-01-01T00:00:00Z</Timestamp><LogicalResourceId>%s</LogicalResourceId>"+
			"<PhysicalResourceId>%s</PhysicalResourceId><ResourceType>AWS::T::%[2]s</ResourceType><ResourceStatus>%[4]s</ResourceStatus><ResourceStatusReason>%[5]s</ResourceStatusReason></member>", len(all)-i, e[0], physical, e[1], e[2])
	}
	return "<StackEvents>" + b.String() + "</StackEvents>"
}

// TestWaitSays joins a change that waits for a DNS record: its deploy was killed.
func TestWaitSays(t *testing.T) {
	t.Parallel()
	const content = "Content of DNS Record is: {Name: _%s.example.com.,Type: CNAME,Value: _x.acm.aws.}"
	begun := [3]string{"aloft", "UPDATE_IN_PROGRESS", "User Initiated"}
	older := [][3]string{{"Old", "UPDATE_IN_PROGRESS", ""}, {"Gone", "CREATE_IN_PROGRESS", fmt.Sprintf(content, "gone")}}
	work := [][3]string{
		{"Ready", "CREATE_COMPLETE", ""},
		{"Certificate", "CREATE_IN_PROGRESS", fmt.Sprintf(content, "b")},
		{"Certificate", "CREATE_IN_PROGRESS", fmt.Sprintf(content, "a")},
		{"Ready", "CREATE_IN_PROGRESS", fmt.Sprintf(content, "ready")},
	}
	busy := stackIs("UPDATE_IN_PROGRESS")
	q, config := fake(t, map[string][]string{
		"DescribeStacks": {busy, busy, busy, busy, stackIs("UPDATE_COMPLETE")},
		"DescribeStackEvents": {
			events(append([][3]string{{"Other", "CREATE_IN_PROGRESS", ""}, begun}, older...)...), "!AccessDenied a test",
			events(append(append(work, begun), older...)...),
		},
	})
	platform, err := fakePlatform(t, config)
	if err != nil {
		t.Fatal(err)
	}
	report := &reports{}
	if err := platform.EnsureAccount(t.Context(), home, report); err != nil {
		t.Fatal(err)
	}
	text := report.String()
	for _, want := range []string{
		"waiting for it", "aws cloudformation cancel-update-stack --stack-name aloft --region eu-west-1", "under way in aloft: Other (AWS::T::Other)", "under way in aloft: Certificate (AWS::T::Certificate)",
		"Certificate waits for this DNS record: _a.example.com CNAME _x.acm.aws; make it", "record: _b.example.com CNAME _x.acm.aws; make it",
	} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q is not said once:\n%s", want, text)
		}
	}
	if strings.Contains(text, "Old") || strings.Contains(text, "gone") || strings.Contains(text, "Ready") {
		t.Errorf("what is done is said to be under way:\n%s", text)
	}
	if asked := strings.Count(strings.Join(q.asked, "\n"), "DescribeStackEvents"); asked != 4 {
		t.Errorf("asked %q", q.asked)
	}
}

// TestWaitOf: CloudFormation takes back updates only, and only then the command is named.
func TestWaitOf(t *testing.T) {
	t.Parallel()
	for status, cancels := range map[string]bool{"UPDATE_IN_PROGRESS": true, "UPDATE_ROLLBACK_IN_PROGRESS": false, "CREATE_IN_PROGRESS": false, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": false} {
		_, config := fake(t, map[string][]string{"DescribeStacks": {stackIs(status)}, "DescribeStackEvents": {""}})
		platform, err := fakePlatform(t, config)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		report := &reports{}
		err = platform.EnsureAccount(ctx, home, impatient(func(e aloft.Event) { report.Report(e); cancel() }))
		hint := "the next aloft up waits for it"
		if cancels {
			hint += " and goes on from there; to have the change taken back instead: aws cloudformation cancel-update-stack --stack-name aloft --region eu-west-1"
		}
		wantError(t, err, aloft.Canceled, "not waiting any more", hint)
		if got := strings.Contains(report.String()+fmt.Sprintf("%#v", err), "cancel-update-stack"); got != cancels {
			t.Errorf("%s: %s %#v", status, report, err)
		}
	}
}
