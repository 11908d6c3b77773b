package aws_test

import (
	"context"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/awstest"
)

// zone makes a zone of Route 53 and returns its records by name.
func (w *world) zone(name string) (records func() map[string]string) {
	w.Helper()
	client := route53.NewFromConfig(w.cloud.Config)
	made, err := client.CreateHostedZone(w.Context(), &route53.CreateHostedZoneInput{Name: &name, CallerReference: &name})
	w.must(err)
	return func() map[string]string {
		w.Helper()
		out, err := client.ListResourceRecordSets(w.Context(), &route53.ListResourceRecordSetsInput{HostedZoneId: made.HostedZone.Id})
		w.must(err)
		all := map[string]string{}
		for _, r := range out.ResourceRecordSets {
			all[sdk.ToString(r.Name)] = string(r.Type)
		}
		return all
	}
}

// domains makes a release that has domains.
func (w *world) domains(zone string, domains ...string) aloft.Release {
	w.Helper()
	release := w.release("hello")
	release.AWS.Domains, release.AWS.Zone = domains, zone
	made, err := w.apps.CreateRelease(w.Context(), release)
	w.must(err)
	return made
}

// Domains get their records in the zone that they lie in; who has none is told where theirs are to lead.
func TestZones(t *testing.T) {
	cloud := awstest.Emulator(t)
	cloud.NeedMiniStack(t)
	w := newWorld(t, cloud)
	shallow, deep := w.zone("example.com"), w.zone("shop.example.com")
	w.must(w.apply(t.Context(), w.domains("", "www.shop.example.com", "www.example.org")))
	if _, has := deep()["www.shop.example.com."]; !has {
		t.Errorf("the zone has %v", deep())
	}
	if _, has := shallow()["www.shop.example.com."]; has {
		t.Error("the record is in the outer zone too")
	}
	records, err := w.platform.Records(t.Context(), w.ref)
	if err != nil || len(records) != 1 || records["www.example.org"] == "" {
		t.Errorf("records to make: %v, %v", records, err)
	}
	w.must(w.apply(t.Context(), w.domains("example.com", "www.shop.example.com")))
	if _, has := shallow()["www.shop.example.com."]; !has {
		t.Errorf("the zone that was named has %v", shallow())
	}
	if err := w.apply(context.WithoutCancel(t.Context()), w.domains("example.org", "www.shop.example.com")); aloft.ErrorCode(err) != aloft.Invalid {
		t.Errorf("a zone that is not there: %v", err)
	}
	w.must(w.apply(t.Context(), w.domains("none", "www.shop.example.com")))
	if records, err := w.platform.Records(t.Context(), w.ref); err != nil || records["www.shop.example.com"] == "" {
		t.Errorf("records to make: %v, %v", records, err)
	}
}
