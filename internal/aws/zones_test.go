package aws_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/aloft-run/aloft/internal/aws"
	"github.com/aloft-run/aloft/internal/stack"
)

// TestZones looks which zones a template is made with.
func TestZones(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	client := route53.NewFromConfig(w.in("us-east-1"))
	ids := map[string]string{}
	for _, name := range []string{"example.com", "shop.example.com", "example.org"} {
		made, err := client.CreateHostedZone(t.Context(), &route53.CreateHostedZoneInput{Name: &name, CallerReference: &name})
		w.must(err)
		ids[name] = strings.TrimPrefix(*made.HostedZone.Id, "/hostedzone/")
	}
	var zones map[string]string
	w.render = func(in stack.Input) (stack.Output, error) {
		zones = in.Zones
		in.Zones, in.Release.AWS.Domains = nil, nil // MiniStack's certificates are not what this is about
		return stack.Render(in)
	}
	for _, test := range []struct{ zone, domain, want string }{
		{"", "www.example.com", ids["example.com"]},
		{"", "a.shop.example.com", ids["shop.example.com"]},
		{"", "shop.example.com", ids["shop.example.com"]},
		{"", "example.net", ""},
		{"", "badexample.com", ""},
		{"none", "www.example.com", ""},
		{"example.com.", "a.shop.example.com", ids["example.com"]},
		{"Z123", "example.net", "Z123"},
	} {
		release := w.release("one")
		release.AWS.Zone, release.AWS.Domains = test.zone, []string{test.domain}
		w.must(w.apply(t.Context(), release))
		if zones[test.domain] != test.want {
			t.Errorf("%s with zone %q lies in %q, want %q", test.domain, test.zone, zones[test.domain], test.want)
		}
	}
	release := w.release("one")
	release.AWS.Zone, release.AWS.Domains = "example.net", []string{"www.example.net"}
	wantError(t, w.apply(t.Context(), release), "invalid", "no public Route 53 zone example.net", "zone: false")
}

// CloudFormation says in an event which record proves a domain.
func TestRecordText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{Name: _1a.example.com.,Type: CNAME,Value: _2b.acm-validations.aws.}": "_1a.example.com CNAME _2b.acm-validations.aws",
		"something else": "something else",
	} {
		if got := aws.RecordText(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}
