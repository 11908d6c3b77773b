package stack_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/stack"
)

// TestProperties holds what is true of every template.
func TestProperties(t *testing.T) {
	t.Parallel()
	logical := regexp.MustCompile(`^[A-Za-z0-9]{1,255}$`)
	for name, in := range cases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, text := render(t, in)
			for range 5 {
				if _, again := render(t, in); !bytes.Equal(text, again) {
					t.Fatal("the same input makes other bytes")
				}
			}
			for id := range out.Template.Resources {
				if !logical.MatchString(id) {
					t.Errorf("logical id %q", id)
				}
			}
			for id := range out.Template.Outputs {
				if !logical.MatchString(id) {
					t.Errorf("output %q", id)
				}
			}
			for _, variables := range in.Config.Variables {
				for name, value := range variables {
					if strings.Contains(string(text), value) {
						t.Errorf("the value of %s is in the template", name)
					}
				}
			}
			for id, p := range out.Template.Parameters {
				if _, given := out.Parameters[id]; given && !p.NoEcho {
					t.Errorf("the parameter %s is shown", id)
				}
			}
			checkStatements(t, out)
		})
	}
}

// unbounded are the actions that AWS has no resource for, or for which Lambda wants all.
func unbounded() []string {
	return []string{
		"xray:PutTelemetryRecords", "xray:PutTraceSegments", "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface",
		"ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
	}
}

func checkStatements(t *testing.T, out stack.Output) {
	t.Helper()
	for _, s := range out.Statements {
		if s.Why == "" {
			t.Errorf("nobody knows why %s may %v", s.Function, s.Action)
		}
		resource, err := json.Marshal(s.Resource)
		if err != nil {
			t.Fatal(err)
		}
		for _, action := range s.Action {
			if strings.Contains(action, "*") {
				t.Errorf("%s may %s", s.Function, action)
			}
			all := string(resource) == `"*"` || string(resource) == `["*"]`
			if all && !slices.Contains(unbounded(), action) {
				t.Errorf("%s may %s of everything", s.Function, action)
			}
		}
	}
	if len(out.Functions) > 0 && len(out.Statements) == 0 {
		t.Error("there are no statements")
	}
}

func TestCodeOnly(t *testing.T) {
	t.Parallel()
	for name, in := range cases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old, _ := render(t, in)
			if stack.CodeOnly(old, old) {
				t.Error("nothing at all is no new code")
			}
			in.Release = in.Release.Clone()
			logDays := in.Release.AWS.LogDays
			in.Release.Version++
			same, _ := render(t, in)
			if stack.CodeOnly(old, same) {
				t.Error("another number is no new code")
			}
			in.Release.Artifact.Digest = strings.Repeat("fedcba9876543210", 4)
			in.Code.Key = "artifacts/" + in.Release.Artifact.Digest + ".zip"
			next, text := render(t, in)
			if !stack.CodeOnly(old, next) {
				t.Error("new code is more than that")
			}
			if again, _ := next.Template.JSON(); !bytes.Equal(text, again) {
				t.Error("the comparison changed the template")
			}
			in.Release.AWS.LogDays = 7
			if shorter, _ := render(t, in); stack.CodeOnly(old, shorter) {
				t.Error("logs that are kept shorter are new code only")
			}
			in.Release.AWS.LogDays = logDays
			for _, variables := range in.Config.Variables {
				variables["GREETING"] = "another"
			}
			if other, _ := render(t, in); in.Config.Variables != nil && in.Config.Secret == "" && stack.CodeOnly(old, other) {
				t.Error("another value of the config is new code only")
			}
		})
	}
}
