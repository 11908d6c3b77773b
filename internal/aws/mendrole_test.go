package aws_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// role is the name of the role of the web function.
func (w *world) role() string {
	w.Helper()
	out, err := cloudformation.NewFromConfig(w.in(home)).DescribeStackResource(w.Context(), &cloudformation.DescribeStackResourceInput{
		StackName: new("hello-production"), LogicalResourceId: new("WebRole"),
	})
	w.must(err)
	return *out.StackResourceDetail.PhysicalResourceId
}

// allowed are the statements of a role's policy.
func (w *world) allowed(role string) (all []string) {
	w.Helper()
	out, err := iam.NewFromConfig(w.in(home)).GetRolePolicy(w.Context(), &iam.GetRolePolicyInput{RoleName: &role, PolicyName: new("aloft")})
	w.must(err)
	text, err := url.QueryUnescape(*out.PolicyDocument)
	w.must(err)
	var policy struct{ Statement []any }
	w.must(json.Unmarshal([]byte(text), &policy))
	for _, s := range policy.Statement {
		one, err := json.Marshal(s)
		w.must(err)
		all = append(all, string(one))
	}
	return all
}

// TestMendRole takes away what a function may do. The next deploy of any code finds that it fails, names the statement that the role
// lost, puts it back beside what somebody added, and asks again.
func TestMendRole(t *testing.T) {
	t.Parallel()
	const byHand = `{"Action":"s3:ListAllMyBuckets","Effect":"Allow","Resource":"*"}`
	for name, left := range map[string]string{"a statement": byHand, "the policy": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newMiniStack(t)
			w.withTables()
			w.must(w.apply(t.Context(), w.tables("one", "id")))
			role, client := w.role(), iam.NewFromConfig(w.in(home))
			before := w.allowed(role)
			var err error
			if left == "" {
				_, err = client.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: &role, PolicyName: new("aloft")})
			} else {
				document := `{"Version":"2012-10-17","Statement":[` + before[0] + "," + left + `]}`
				_, err = client.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &role, PolicyName: new("aloft"), PolicyDocument: &document})
			}
			w.must(err)
			w.cloudForbids()
			w.must(w.apply(t.Context(), w.tables("two", "id")))
			if said := w.report.String(); !strings.Contains(said, "the role "+role+" lacks the statement {") || !strings.Contains(said, "dynamodb:GetItem") || !strings.Contains(said, "table/hello-orders") || !strings.Contains(said, "answers 200") {
				t.Errorf("it was not said, or not asked again:\n%s", said)
			}
			after := strings.Join(w.allowed(role), "\n")
			for _, statement := range append(before, left) {
				if !strings.Contains(after, statement) {
					t.Errorf("%s is missing in\n%s", statement, after)
				}
			}
		})
	}
}
