package shim

import (
	"maps"
	"testing"
)

func TestVariablesOf(t *testing.T) {
	t.Parallel()
	for secret, want := range map[string]map[string]string{
		`{"web": {"A": "b"}, "work": {"A": "c"}}`: {"A": "b"}, `{"A": "b"}`: {"A": "b"}, `{"work": {"A": "c"}}`: nil, `{}`: nil,
	} {
		if got, ok := variablesOf(secret, "web"); !ok || !maps.Equal(got, want) {
			t.Errorf("%s has %v (%v), want %v", secret, got, ok, want)
		}
	}
	for _, secret := range []string{"", "[]", `{"A": 1}`, "hunter2"} {
		if got, ok := variablesOf(secret, "web"); ok {
			t.Errorf("%q has %v", secret, got)
		}
	}
}

// TestSecretsEndpoint: each partition of AWS has a domain of its own.
func TestSecretsEndpoint(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{
		"eu-central-1": "amazonaws.com", "us-gov-west-1": "amazonaws.com", "cn-north-1": "amazonaws.com.cn", "eusc-de-east-1": "amazonaws.eu",
		"us-iso-east-1": "c2s.ic.gov", "us-isob-east-1": "sc2s.sgov.gov", "us-isof-south-1": "csp.hci.ic.gov", "eu-isoe-west-1": "cloud.adc-e.uk",
	} {
		s := &settings{env: []string{"AWS_REGION=" + region}, secret: "aloft/app/production"}
		if u, err := s.secretsEndpoint(); err != nil || u.String() != "https://secretsmanager."+region+"."+want+"/" {
			t.Errorf("%s: %s, %v", region, u, err)
		}
	}
}
