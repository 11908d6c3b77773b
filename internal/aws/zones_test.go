package aws_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

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

// TestZoneBelow: a zone below another one of the account is entered there, unless that has records that would be lost.
func TestZoneBelow(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.must(w.apply(t.Context(), w.release("one")))
	above, err := w.platform.EnsureZone(t.Context(), w.ref, "shop.example", nil)
	w.must(err)
	zone, err := w.platform.EnsureZone(t.Context(), w.ref, "eu.shop.example", []string{"www.eu.shop.example"})
	w.must(err)
	client := route53.NewFromConfig(w.in("us-east-1"))
	records := func() (servers []string) {
		all, err := client.ListResourceRecordSets(t.Context(), &route53.ListResourceRecordSetsInput{HostedZoneId: &above.ID})
		w.must(err)
		for _, set := range all.ResourceRecordSets {
			if *set.Name == "eu.shop.example." && set.Type == types.RRTypeNs {
				for _, r := range set.ResourceRecords {
					servers = append(servers, *r.Value)
				}
			}
		}
		return servers
	}
	if !zone.Made || zone.Above != "shop.example" || !slices.Equal(records(), zone.NameServers) {
		t.Errorf("made %+v, entered %q", zone, records())
	}
	_, err = client.ChangeResourceRecordSets(t.Context(), &route53.ChangeResourceRecordSetsInput{HostedZoneId: &above.ID, ChangeBatch: &types.ChangeBatch{Changes: []types.Change{{
		Action: types.ChangeActionCreate, ResourceRecordSet: &types.ResourceRecordSet{
			Name: sdk.String("a.us.shop.example"), Type: types.RRTypeA, TTL: sdk.Int64(60), ResourceRecords: []types.ResourceRecord{{Value: sdk.String("192.0.2.1")}},
		},
	}}}})
	w.must(err)
	_, err = w.platform.EnsureZone(t.Context(), w.ref, "us.shop.example", nil)
	wantError(t, err, aloft.Invalid, "shop.example has records of a.us.shop.example", "leave --zone out")
	again, err := w.platform.EnsureZone(t.Context(), w.ref, "sus.shop.example", nil) // a.us.shop.example is not below it
	w.must(err)
	if !again.Made {
		t.Errorf("made %+v", again)
	}
}

// dns answers as Route 53 does where an account has a zone shop.example, and a program may not change its records.
type dns struct {
	zones   []string // what is listed, by then
	exists  bool     // a zone that is made is there already
	hidden  bool     // no zone may be looked at
	deleted atomic.Bool
	lists   atomic.Int32
}

func (d *dns) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const servers = "<DelegationSet><NameServers><NameServer>ns-1.example</NameServer></NameServers></DelegationSet>"
	zone := func(id string) string {
		return "<HostedZone><Id>/hostedzone/" + id + "</Id><Name>shop.example.</Name><CallerReference>a</CallerReference></HostedZone>"
	}
	w.Header().Set("Content-Type", "text/xml")
	fail := func(code string) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code><Message>not allowed</Message></Error></ErrorResponse>", code)
	}
	switch {
	case r.Method == http.MethodDelete:
		d.deleted.Store(true)
		fmt.Fprint(w, "<DeleteHostedZoneResponse><ChangeInfo><Id>c</Id></ChangeInfo></DeleteHostedZoneResponse>")
	case strings.Contains(r.URL.Path, "/rrset") && r.Method == http.MethodPost:
		fail("AccessDenied")
	case strings.Contains(r.URL.Path, "/rrset"):
		fmt.Fprint(w, "<ListResourceRecordSetsResponse><ResourceRecordSets></ResourceRecordSets><IsTruncated>false</IsTruncated></ListResourceRecordSetsResponse>")
	case r.Method == http.MethodPost && d.exists:
		fail("HostedZoneAlreadyExists")
	case r.Method == http.MethodPost:
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, "<CreateHostedZoneResponse>"+zone("Z9")+servers+"</CreateHostedZoneResponse>")
	case strings.HasSuffix(r.URL.Path, "/hostedzone"):
		var listed strings.Builder
		if d.lists.Add(1) > 1 || !d.exists {
			for _, id := range d.zones {
				listed.WriteString(zone(id))
			}
			listed.WriteString(strings.ReplaceAll(zone("Z8"), "</Hosted", "<LinkedService><ServicePrincipal>servicediscovery.amazonaws.com</ServicePrincipal></LinkedService></Hosted"))
		}
		fmt.Fprint(w, "<ListHostedZonesResponse><HostedZones>"+listed.String()+"</HostedZones><IsTruncated>false</IsTruncated></ListHostedZonesResponse>")
	case d.hidden:
		fail("AccessDenied")
	default:
		fmt.Fprint(w, "<GetHostedZoneResponse>"+zone("Z1")+servers+"</GetHostedZoneResponse>")
	}
}

func onDNS(t *testing.T, d *dns) (*aws.Platform, *world) {
	t.Helper()
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	_, config := fake(t, map[string][]string{})
	w, session := worldOf(t, config)
	session.Config.BaseEndpoint = &server.URL
	return aws.New(aws.Options{Session: session, Releases: w.apps, Objects: func(string) aws.Objects { return nil }}), w
}

// TestZoneAlreadyThere: the answer to a request that made the zone was lost, and the SDK asked again.
func TestZoneAlreadyThere(t *testing.T) {
	t.Parallel()
	platform, w := onDNS(t, &dns{zones: []string{"Z1"}, exists: true})
	zone, err := platform.EnsureZone(t.Context(), w.ref, "shop.example", []string{"shop.example"})
	if err != nil || zone.ID != "Z1" || !zone.Made || !slices.Equal(zone.NameServers, []string{"ns-1.example"}) {
		t.Errorf("%+v, %v", zone, err)
	}
}

// TestZoneNotEntered: a zone that nobody would find does not stay.
func TestZoneNotEntered(t *testing.T) {
	t.Parallel()
	d := &dns{zones: []string{"Z1"}}
	platform, w := onDNS(t, d)
	_, err := platform.EnsureZone(t.Context(), w.ref, "eu.shop.example", nil)
	wantError(t, err, aloft.Failed, "enter the zone eu.shop.example in shop.example", "")
	if !d.deleted.Load() {
		t.Error("the zone is still there")
	}
}

// TestZoneOfOthers: a zone that these credentials cannot see keeps nobody from looking at domains.
func TestZoneOfOthers(t *testing.T) {
	t.Parallel()
	platform, w := onDNS(t, &dns{hidden: true})
	if servers, err := aws.NameServers(t.Context(), platform, "Z1"); err != nil || servers != nil {
		t.Errorf("%q, %v", servers, err)
	}
	release := w.release("one")
	release.AWS.Zone = "Z1"
	release, err := w.apps.CreateRelease(t.Context(), release)
	w.must(err)
	w.must(w.apps.FinishRelease(t.Context(), w.ref, release.Version, ""))
	_, err = platform.EnsureZone(t.Context(), w.ref, "shop.example", nil)
	wantError(t, err, aloft.Failed, "look at the zone Z1", "")
}

// TestTwins: Route 53 lets an account have two zones of one name, and the world sees one of them. A zone of another service is none.
func TestTwins(t *testing.T) {
	t.Parallel()
	platform, w := onDNS(t, &dns{zones: []string{"Z1", "Z2"}})
	_, err := platform.EnsureZone(t.Context(), w.ref, "shop.example", nil)
	wantError(t, err, aloft.Invalid, "has 2 public Route 53 zones shop.example: Z1, Z2", "aws: {zone: Z1}")
	release := w.release("one")
	release.AWS.Zone = "Z1"
	release, err = w.apps.CreateRelease(t.Context(), release)
	w.must(err)
	w.must(w.apps.FinishRelease(t.Context(), w.ref, release.Version, ""))
	zone, err := platform.EnsureZone(t.Context(), w.ref, "shop.example", nil)
	if err != nil || zone.ID != "Z1" || zone.Made {
		t.Errorf("named by its id: %+v, %v", zone, err)
	}
	_, err = platform.EnsureZone(t.Context(), w.ref, "other.example", nil)
	wantError(t, err, aloft.Invalid, "aloft.yml has zone: Z1", "take that out")
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
