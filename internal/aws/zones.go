package aws

import (
	"context"
	"regexp"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"

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
	if settings.Zone != "" {
		id := all[strings.TrimSuffix(settings.Zone, ".")]
		if id == "" {
			return nil, aloft.Errorf(aloft.Invalid, "the account %s has no public Route 53 zone %s", p.Session.Account, settings.Zone).
				WithHint("make it (aws route53 create-hosted-zone --name %s --caller-reference 1), or set zone: false and make the records where the domain's DNS is", settings.Zone)
		}
		all = map[string]string{strings.TrimSuffix(settings.Zone, "."): id}
	}
	for _, domain := range settings.Domains {
		for at := strings.TrimPrefix(domain, "*."); at != ""; _, at, _ = strings.Cut(at, ".") {
			if all[at] != "" {
				found[domain] = all[at]
				break
			}
		}
	}
	return found, nil
}

// publicZones are the ids of the account's zones by their names.
func (p *Platform) publicZones(ctx context.Context) (map[string]string, error) {
	all := map[string]string{}
	pages := route53.NewListHostedZonesPaginator(route53.NewFromConfig(p.config(globalRegion(p.Session.Region))), &route53.ListHostedZonesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, p.Session.explain(err, "look for the zones of the domains")
		}
		for _, zone := range page.HostedZones {
			if zone.Config == nil || !zone.Config.PrivateZone {
				all[strings.TrimSuffix(sdk.ToString(zone.Name), ".")] = strings.TrimPrefix(sdk.ToString(zone.Id), "/hostedzone/")
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
