package aws_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/aloft-run/aloft"
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

// TestEnsureZone makes a zone once, for domains that are in it, and tells its name servers while a certificate waits.
func TestEnsureZone(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.must(w.apply(t.Context(), w.release("one")))
	want := []string{"shop.example", "www.shop.example"}
	zone, err := w.platform.EnsureZone(t.Context(), w.ref, "Shop.Example.", want)
	w.must(err)
	if !zone.Made || zone.Name != "shop.example" || !strings.HasPrefix(zone.ID, "Z") || len(zone.NameServers) < 2 {
		t.Errorf("made: %+v", zone)
	}
	again, err := w.platform.EnsureZone(t.Context(), w.ref, "shop.example", want)
	w.must(err)
	if again.Made || again.ID != zone.ID || !slices.Equal(again.NameServers, zone.NameServers) {
		t.Errorf("again: %+v, before %+v", again, zone)
	}
	stage, err := w.apps.Stage(t.Context(), w.ref)
	w.must(err)
	stage.Domains = want // ahead of the release
	w.must(w.apps.UpdateStage(t.Context(), stage))
	domains, err := w.platform.Domains(t.Context(), w.ref)
	w.must(err)
	if len(domains) != 2 || domains[0].Zone != zone.ID || !slices.Equal(domains[0].NameServers, zone.NameServers) {
		t.Errorf("domains: %+v", domains)
	}

	for _, name := range []string{"example", "", "a b.example", "shop..example"} {
		_, err = w.platform.EnsureZone(t.Context(), w.ref, name, want)
		wantError(t, err, aloft.Invalid, "cannot be a zone", "such as example.com")
	}
	_, err = w.platform.EnsureZone(t.Context(), w.ref, "op.example", want)
	wantError(t, err, aloft.Invalid, "shop.example is not in the zone op.example", "without --zone")
}

// TestZoneAlreadyThere: the answer to a request that made the zone was lost, and the SDK asked again.
func TestZoneAlreadyThere(t *testing.T) {
	t.Parallel()
	lists := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		const zone = "<Id>/hostedzone/Z1</Id><Name>shop.example.</Name><CallerReference>a</CallerReference>"
		switch {
		case r.Method == http.MethodPost:
			w.WriteHeader(http.StatusConflict)
			fmt.Fprint(w, "<ErrorResponse><Error><Code>HostedZoneAlreadyExists</Code><Message>it is there</Message></Error></ErrorResponse>")
		case strings.HasSuffix(r.URL.Path, "/Z1"):
			fmt.Fprint(w, "<GetHostedZoneResponse><HostedZone>"+zone+"</HostedZone><DelegationSet><NameServers><NameServer>ns-1.example</NameServer></NameServers></DelegationSet></GetHostedZoneResponse>")
		default:
			if lists++; lists > 1 {
				fmt.Fprint(w, "<ListHostedZonesResponse><HostedZones><HostedZone>"+zone+"</HostedZone></HostedZones><IsTruncated>false</IsTruncated></ListHostedZonesResponse>")
				return
			}
			fmt.Fprint(w, "<ListHostedZonesResponse><HostedZones></HostedZones><IsTruncated>false</IsTruncated></ListHostedZonesResponse>")
		}
	}))
	defer server.Close()
	_, config := fake(t, map[string][]string{})
	w, session := worldOf(t, config)
	session.Config.BaseEndpoint = &server.URL
	platform := aws.New(aws.Options{Session: session, Releases: w.apps, Objects: func(string) aws.Objects { return nil }})
	zone, err := platform.EnsureZone(t.Context(), w.ref, "shop.example", []string{"shop.example"})
	if err != nil || zone.ID != "Z1" || !zone.Made || !slices.Equal(zone.NameServers, []string{"ns-1.example"}) {
		t.Errorf("%+v, %v", zone, err)
	}
}

// CloudFormation says in an event which record proves a domain.
func TestRecordText(t *testing.T) {
	t.Parallel()
	if text := aws.WaitsFor("_1a CNAME _2b", ""); !strings.Contains(text, "make it: _1a CNAME _2b") {
		t.Errorf("by hand: %s", text)
	}
	if text := aws.WaitsFor("_1a CNAME _2b", "Z1"); strings.Contains(text, "make it") || !strings.Contains(text, "zone Z1") {
		t.Errorf("in a zone: %s", text)
	}
	for text, want := range map[string]string{
		"{Name: _1a.example.com.,Type: CNAME,Value: _2b.acm-validations.aws.}": "_1a.example.com CNAME _2b.acm-validations.aws",
		"something else": "something else",
	} {
		if got := aws.RecordText(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}
