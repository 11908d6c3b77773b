package stack_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
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
		if s.Why == "" || s.Text == "" {
			t.Errorf("nobody knows why %s may %v", s.Role, s.Action)
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

// plain is the text of what a release is made into, without its code.
func plain(t *testing.T, in stack.Input) string {
	t.Helper()
	in.Release = in.Release.Clone()
	in.Release.Version, in.Release.Artifact, in.Code = 0, aloft.Artifact{}, stack.Object{}
	out, text := render(t, in)
	values, err := json.Marshal(out.Parameters)
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + string(values)
}

// TestCodeOnly holds what the platform's fast path goes by.
func TestCodeOnly(t *testing.T) {
	t.Parallel()
	for name, in := range cases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, old := plain(t, in), in
			in.Release = in.Release.Clone()
			in.Release.Version++
			in.Release.Artifact.Digest = strings.Repeat("fedcba9876543210", 4)
			in.Code.Key = "artifacts/" + in.Release.Artifact.Digest + ".zip"
			if plain(t, in) != before {
				t.Error("new code is more than that")
			}
			_, a := render(t, old)
			if _, b := render(t, in); bytes.Equal(a, b) {
				t.Error("new code makes no difference")
			}
			in.Release.AWS.LogDays = 7
			if plain(t, in) == before {
				t.Error("logs that are kept shorter are new code only")
			}
			in.Release.AWS.LogDays = old.Release.AWS.LogDays
			if in.Config.Variables == nil || in.Config.Secret != "" {
				return
			}
			for _, variables := range in.Config.Variables {
				variables["GREETING"] = "another"
			}
			if plain(t, in) == before {
				t.Error("another value of the config is new code only")
			}
		})
	}
}
