package manifest_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/manifest"
)

func onAWS(t *testing.T, text string) (*aloft.AWS, error) {
	t.Helper()
	m, _, err := manifest.Load(fstest.MapFS{manifest.AloftFile: {Data: []byte(text)}})
	check(t, err)
	return m.Stage("production").OnAWS(aloft.AWS{Regions: []string{"eu-west-1"}})
}

// What a release on AWS has is what the project says, and the defaults where it says nothing.
func TestOnAWS(t *testing.T) {
	a, err := onAWS(t, "platform: aws\naws: {tracing: true}\nstages: {production: {aws: {endpoint: rest-api, waf: true, cloudformation: {Resources: {A: {Type: B, N: 0.5}}}}}}")
	check(t, err)
	if a.Regions[0] != "eu-west-1" || !a.Tracing || a.Endpoint != aloft.RESTAPI || a.WAF == nil || a.Zone != "" {
		t.Errorf("got %+v", a)
	}
	if got := string(a.CloudFormation); got != `{"Resources":{"A":{"N":0.5,"Type":"B"}}}` {
		t.Errorf("cloudformation is %s", got)
	}
	if a, err = onAWS(t, "aws: {region: us-east-1, zone: false}"); err != nil || a.Regions[0] != "us-east-1" || a.Zone != manifest.NoZone {
		t.Errorf("got %+v, %v", a, err)
	}
}

// What single sections may say can contradict itself once they are put together.
func TestOnAWSContradictions(t *testing.T) {
	for text, want := range map[string]string{
		"aws: {waf: true}\nstages: {production: {aws: {endpoint: function-url}}}":                     "firewall",
		"aws: {throttle: {rate: 1, burst: 1}}\nstages: {production: {aws: {endpoint: function-url}}}": "gateway",
	} {
		if _, err := onAWS(t, text); aloft.ErrorCode(err) != aloft.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	m, _, err := manifest.Load(fstest.MapFS{manifest.AloftFile: {Data: []byte("aws: {vpc: {subnets: [subnet-1], security-groups: [sg-1]}}")}})
	check(t, err)
	_, err = m.Stage("production").OnAWS(aloft.AWS{Regions: []string{"eu-west-1", "us-east-1"}})
	if aloft.ErrorCode(err) != aloft.Invalid || !strings.Contains(err.Error(), "aws.vpc: subnets belong to one region, and the stage has 2") {
		t.Errorf("a vpc in two regions: %v", err)
	}
}
