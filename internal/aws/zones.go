package aws

import (
	"context"
	"regexp"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

// noZone is the zone of who keeps aloft from DNS.
const noZone = "none"

var zoneID = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)

// zones are the ids of the public Route 53 zones that a release's domains lie in: the one that the release names, or for each
// domain the smallest that has it. Domains that are in none are left out.
func (p *Platform) zones(ctx context.Context, settings *aloft.AWS) (map[string]string, error) {
	found := map[string]string{}
	if len(settings.Domains) == 0 || settings.Zone == noZone {
		return found, nil
	}
	if zoneID.MatchString(settings.Zone) {
		for _, domain := range settings.Domains {
			found[domain] = settings.Zone
		}
		return found, nil
	}
	all, err := p.publicZones(ctx)
	if err != nil {
		return nil, err
	}
	if named := plainName(settings.Zone); named != "" {
		if len(all[named]) == 0 {
			return nil, aloft.Errorf(aloft.Invalid, "the account %s has no public Route 53 zone %s", p.Session.Account, settings.Zone).
				WithHint("make it: aloft domains add DOMAIN --zone %s; or set zone: false and make the records where the domain's DNS is", settings.Zone)
		}
		all = map[string][]string{named: all[named]}
	}
	for _, domain := range settings.Domains {
		if at := within(all, strings.TrimPrefix(domain, "*.")); at != "" {
			if found[domain], err = one(all, at); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// plainName is the name of a zone as it is compared.
func plainName(zone string) string { return strings.TrimSuffix(strings.ToLower(zone), ".") }

// within is the name of the smallest of zones that has a domain; "" is none.
func within(all map[string][]string, domain string) string {
	for at := domain; at != ""; _, at, _ = strings.Cut(at, ".") {
		if len(all[at]) > 0 {
			return at
		}
	}
	return ""
}

// one is the id of the zone of a name. Route 53 lets an account have several of one name, of which the world sees one.
func one(all map[string][]string, name string) (string, error) {
	if ids := all[name]; len(ids) > 1 {
		return "", aloft.Errorf(aloft.Invalid, "the account has %d public Route 53 zones %s: %s", len(ids), name, strings.Join(ids, ", ")).
			WithHint("delete those whose name servers are not the domain's, or name the right one in aloft.yml: aws: {zone: %s}", ids[0])
	}
	return all[name][0], nil
}

// zoneIn is the id of a zone, without what the API puts before it.
func zoneIn(zone *types.HostedZone) string {
	return strings.TrimPrefix(sdk.ToString(zone.Id), "/hostedzone/")
}

// nameServers are those of a zone; none of one that these credentials cannot see.
func (p *Platform) nameServers(ctx context.Context, id string) ([]string, error) {
	zone, err := p.look(ctx, id)
	if is(err, "NoSuchHostedZone", "AccessDenied", "AccessDeniedException") {
		return nil, nil
	}
	return zone.NameServers, p.Session.explain(err, "look at the zone "+id)
}

// zoneOf is the zone of an id.
func (p *Platform) zoneOf(ctx context.Context, id string) (Zone, error) {
	zone, err := p.look(ctx, id)
	return zone, p.Session.explain(err, "look at the zone "+id)
}

// look is zoneOf with AWS's own error.
func (p *Platform) look(ctx context.Context, id string) (Zone, error) {
	out, err := p.route53().GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: &id})
	if err != nil {
		return Zone{}, err //nolint:wrapcheck // the callers do
	}
	zone := Zone{ID: id, Name: plainName(sdk.ToString(out.HostedZone.Name))}
	if out.DelegationSet != nil { // which private ones lack
		zone.NameServers = out.DelegationSet.NameServers
	}
	return zone, nil
}

func (p *Platform) route53() *route53.Client {
	return route53.NewFromConfig(p.config(globalRegion(p.Session.Region)))
}

// publicZones are the ids of the account's zones by their names, but for those of other services, which alone change them.
func (p *Platform) publicZones(ctx context.Context) (map[string][]string, error) {
	all := map[string][]string{}
	pages := route53.NewListHostedZonesPaginator(p.route53(), &route53.ListHostedZonesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, p.Session.explain(err, "look for the zones of the domains")
		}
		for _, zone := range page.HostedZones {
			if name := plainName(sdk.ToString(zone.Name)); zone.LinkedService == nil && (zone.Config == nil || !zone.Config.PrivateZone) {
				all[name] = append(all[name], zoneIn(&zone))
			}
		}
	}
	return all, nil
}

// tellRecords says which records are to be made by hand, for domains whose zone is not Route 53's and that the release before did not
// have as they are now. Later aloft domains says it.
func (r *regional) tellRecords(ctx context.Context) error {
	was, is := r.current.AWS, r.release.AWS
	same := was != nil && was.Zone == is.Zone && was.Endpoint == is.Endpoint && slices.Contains(was.Regions, r.name)
	added := slices.DeleteFunc(slices.Clone(is.Domains), func(domain string) bool {
		return r.dns[domain] != "" || same && slices.Contains(was.Domains, domain)
	})
	if len(added) == 0 {
		return nil
	}
	found, err := r.described(ctx)
	if err != nil {
		return err
	}
	for _, domain := range added {
		if target := outputOf(found, stack.DomainOutput(domain)); target != "" {
			r.report.Report(aloft.Notice{Text: r.recordNotice(domain, target)})
		}
	}
	return nil
}
