package export

import (
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
)

// TestStateHoldsSecrets: who exports for Terraform is told that its state holds secrets, given or made.
func TestStateHoldsSecrets(t *testing.T) {
	t.Parallel()
	in := Input{Release: aloft.Release{StageRef: aloft.StageRef{App: "a", Stage: "b"}, AWS: &aloft.AWS{Regions: []string{"eu-west-1"}}}}
	for want, out := range map[string]Output{
		"state holds these values: keep it":                                                    {Parameters: []string{"X"}},
		"state holds the passwords of databases that are made: keep it":                        {Secrets: true},
		"state holds these values and the passwords of databases that are made: keep it where": {Parameters: []string{"X"}, Secrets: true},
	} {
		if text, err := in.readme(Terraform, out); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%q is missing: %v\n%s", want, err, text)
		}
	}
	if text, err := in.readme(Terraform, Output{}); err != nil || strings.Contains(string(text), "state holds") {
		t.Errorf("there are no secrets: %v\n%s", err, text)
	}
}

// TestCommandsAreCode: after a list four spaces make a paragraph of its last item, so commands are in fences, each after an empty line.
func TestCommandsAreCode(t *testing.T) {
	t.Parallel()
	stores := []aloft.Resource{{Name: "orders", Type: aloft.Table}}
	for _, format := range []Format{CloudFormation, Terraform} {
		for _, out := range []Output{{}, {Parameters: []string{"COLOR", "SIZE"}, Secrets: true, Stacks: map[string]string{"Extra": "AWS::SQS::Queue"}}} {
			for _, regions := range [][]string{{"eu-west-1"}, {"eu-west-1", "us-east-1"}} {
				in := Input{Release: aloft.Release{StageRef: aloft.StageRef{App: "a", Stage: "b"}, AWS: &aloft.AWS{Regions: regions}, Resources: stores}, Stack: "a-b"}
				text, err := in.readme(format, out)
				if err != nil {
					t.Fatal(err)
				}
				checkCommands(t, string(text))
			}
		}
	}
}

// checkCommands fails for a command outside of a fence, for a fence without an empty line around, or with one within.
func checkCommands(t *testing.T, text string) {
	t.Helper()
	inside, commands := false, 0
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		command := strings.HasPrefix(strings.TrimSpace(line), "aws ") || strings.HasPrefix(strings.TrimSpace(line), "terraform ")
		switch {
		case strings.HasPrefix(line, "```"):
			if !inside && lines[i-1] != "" || inside && lines[i+1] != "" {
				t.Errorf("no empty line beside line %d:\n%s", i+1, text)
			}
			inside = !inside
		case inside && line == "", !inside && (command || strings.HasPrefix(line, "    ")):
			t.Errorf("line %d is in the wrong place:\n%s", i+1, text)
		case command:
			commands++
		}
	}
	if inside || commands < 2 {
		t.Errorf("%d commands, a fence without an end: %t\n%s", commands, inside, text)
	}
}
