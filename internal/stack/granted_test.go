package stack_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

// reasonsOf are what a role may do with its reasons, as text.
func reasonsOf(out stack.Output, role string) []string {
	var all []string
	for _, g := range out.Statements {
		if g.Role == role {
			all = append(all, g.Function+": "+strings.Join(g.Action, " ")+g.Policy+" because "+g.Why)
		}
	}
	return all
}

// TestGrantedByTheSection: what roles may do is what the final template says, whoever said it, under whatever ids.
func TestGrantedByTheSection(t *testing.T) {
	t.Parallel()
	const section = "the section cloudformation of aloft.yml"
	written := "web: logs:CreateLogStream logs:PutLogEvents because web writes its log"
	for name, c := range map[string]struct {
		raw  string
		ids  map[string]string
		role string
		want []string
	}{
		"nothing": {role: "WebRole", want: []string{written}},
		"another policy": {
			raw:  `{"Resources":{"WebRole":{"Properties":{"Policies":[{"PolicyName":"x","PolicyDocument":{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}}]}}}}`,
			role: "WebRole", want: []string{"web: s3:* because " + section},
		},
		"another id": {ids: map[string]string{"WebRole": "Mine", "WebLogs": "Lines"}, role: "Mine", want: []string{written}},
		"attached": {
			raw:  `{"Resources":{"WebRole":{"Properties":{"ManagedPolicyArns":["arn:x"]}}}}`,
			role: "WebRole", want: []string{written, "web: arn:x because " + section},
		},
		"beside": {
			raw: `{"Resources":{"More":{"Type":"AWS::IAM::Policy","Properties":{"PolicyName":"x","Roles":[{"Ref":"WebRole"}],"PolicyDocument":
				{"Statement":[{"Fn::If":["Yes",1,2]}]}}}}}`,
			role: "WebRole", want: []string{`web: {"Fn::If":["Yes",1,2]} because ` + section, written},
		},
		"another role": {
			raw: `{"Resources":{"WebFunction":{"Properties":{"Role":{"Fn::GetAtt":["Other","Arn"]}}},"Other":{"Type":"AWS::IAM::Role","Properties":
				{"Policies":[{"PolicyDocument":{"Statement":[{"Action":["a:B"],"Resource":"*"}]}}]}}}}`,
			role: "Other", want: []string{"web: a:B because " + section},
		},
	} {
		in := input(release("shop", server()))
		in.Release.AWS.CloudFormation, in.Release.AWS.IDs = json.RawMessage(c.raw), c.ids
		out, _ := render(t, in)
		if got := reasonsOf(out, c.role); !slices.Equal(got, c.want) {
			t.Errorf("%s: %s has\n%s\nwant\n%s", name, c.role, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// TestGrantedToSchedules: a schedule has a role, which is no function's.
func TestGrantedToSchedules(t *testing.T) {
	t.Parallel()
	f := worker("work", "schedule:rate(5 minutes)")
	out, _ := render(t, stage(nil, f))
	for _, g := range out.Statements {
		if g.Service == "scheduler.amazonaws.com" {
			if g.Function != "" || g.Why != "work has the event source schedule:rate(5 minutes)" || !slices.Equal(g.Action, []string{"lambda:InvokeFunction"}) {
				t.Errorf("its role has %+v", g)
			}
			return
		}
	}
	t.Error("nobody says what EventBridge Scheduler may do")
}

// TestRoleOfOthers: a role that the section cloudformation names is not that of the stack.
func TestRoleOfOthers(t *testing.T) {
	t.Parallel()
	in := input(release("shop", server()))
	const role = "arn:aws:iam::123456789012:role/mine"
	in.Release.AWS.CloudFormation = json.RawMessage(`{"Resources":{"WebFunction":{"Properties":{"Role":"` + role + `"}}}}`)
	out, _ := render(t, in)
	if got := out.Functions["web"].Role; got != role {
		t.Errorf("web has the role %q", got)
	}
	in.Release.AWS = &aloft.AWS{Regions: in.Release.AWS.Regions, Architecture: aloft.ARM64}
	if out, _ = render(t, in); out.Functions["web"].Role != "" {
		t.Errorf("web has the role %q of others", out.Functions["web"].Role)
	}
}
