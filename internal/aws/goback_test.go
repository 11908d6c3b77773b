package aws_test

import (
	"slices"
	"testing"

	"github.com/aloft-run/aloft"
)

// stuckIs are resources of a stack that could not be changed: of each its name and why.
func stuckIs(all ...[2]string) string {
	text := ""
	for _, one := range all {
		text += "<member><LogicalResourceId>" + one[0] + "</LogicalResourceId><ResourceType>AWS::S3::Bucket</ResourceType><ResourceStatus>UPDATE_FAILED</ResourceStatus>" +
			"<ResourceStatusReason>" + one[1] + "</ResourceStatusReason><LastUpdatedTimestamp>2026-01-01T00:00:00Z</LastUpdatedTimestamp></member>"
	}
	return "<StackResourceSummaries>" + text + "</StackResourceSummaries>"
}

// TestStuck: what CloudFormation only cancelled it does not leave out of a return, and refuses a request that names it.
func TestStuck(t *testing.T) {
	t.Parallel()
	const plain, with = "ContinueUpdateRollback ", "ContinueUpdateRollback Bucket"
	const refused = "!ValidationError Stack [x] is nested, and its resources cannot be skipped"
	gone, cancelled := [2]string{"Bucket", "it is gone"}, [2]string{"Api", "Resource update cancelled"}
	failed, busy := stackIs("UPDATE_ROLLBACK_FAILED"), stackIs("UPDATE_ROLLBACK_IN_PROGRESS")
	tests := []struct {
		name, stuck   string
		stacks        []string
		answers       []string
		continued     []string
		code          aloft.Code
		message, hint string
	}{
		{
			"one of two", stuckIs(cancelled, gone),
			[]string{failed, busy, failed, busy, stackIs("UPDATE_ROLLBACK_COMPLETE")},
			[]string{""},
			[]string{plain, with},
			"", "", "",
		},
		{
			"all cancelled", stuckIs(cancelled),
			[]string{failed},
			[]string{""},
			[]string{plain},
			aloft.Failed, "cannot return to what it was: CloudFormation does not say why", "then: aws cloudformation continue-update-rollback --stack-name aloft --region eu-west-1",
		},
		{
			"AWS refuses", stuckIs(gone, [2]string{"Key", "no such key"}),
			[]string{failed},
			[]string{"", refused},
			[]string{plain, with},
			aloft.Failed, "resources cannot be skipped", "aws cloudformation continue-update-rollback --stack-name aloft --resources-to-skip Bucket Key --region eu-west-1",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			q, config := fake(t, map[string][]string{"DescribeStacks": test.stacks, "ContinueUpdateRollback": test.answers, "ListStackResources": {test.stuck}})
			platform, err := fakePlatform(t, config)
			if err != nil {
				t.Fatal(err)
			}
			err = platform.EnsureAccount(t.Context(), home, &reports{})
			if test.code != "" {
				wantError(t, err, test.code, test.message, test.hint)
			} else if err != nil {
				t.Error(err)
			}
			continued := slices.DeleteFunc(slices.Clone(q.asked), func(one string) bool { return one != plain && one != with })
			if !slices.Equal(continued, test.continued) {
				t.Errorf("asked %q", q.asked)
			}
		})
	}
}
