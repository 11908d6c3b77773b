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
