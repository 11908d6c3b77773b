package aws

import (
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
)

// TestLeading: the top of a zone has no CNAME.
func TestLeading(t *testing.T) {
	t.Parallel()
	for domain, want := range map[string]string{
		"example.com": TypeALIAS, "example.co.uk": TypeALIAS, "shop.github.io": TypeALIAS,
		"www.example.com": TypeCNAME, "a.b.example.co.uk": TypeCNAME, "*.example.com": TypeCNAME, "co.uk": TypeCNAME,
	} {
		if got := leading(domain, "d-1"); got != (Record{Name: domain, Type: want, Value: "d-1"}) {
			t.Errorf("%s gets %v, want %s", domain, got, want)
		}
	}
}

// TestRecordNotice: of several regions one has the record.
func TestRecordNotice(t *testing.T) {
	t.Parallel()
	release := aloft.Release{StageRef: aloft.StageRef{App: "shop", Stage: "production"}, AWS: &aloft.AWS{Regions: []string{"eu-west-1", "us-east-1"}}}
	for name, want := range map[string]string{
		"eu-west-1": "needs this record, if it has not: www.example.com CNAME d-1",
		"us-east-1": "www.example.com leads to eu-west-1 alone",
	} {
		r := &regional{region: &region{name: name}, deployment: &deployment{release: release}}
		if got := r.recordNotice("www.example.com", "d-1"); !strings.Contains(got, want) || strings.Contains(got, "CNAME d-1") != (name == "eu-west-1") {
			t.Errorf("%s says %q, want %q", name, got, want)
		}
	}
}
