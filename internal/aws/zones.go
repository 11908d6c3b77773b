package aws

import (
	"context"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

// noZone in place of a zone says that no DNS is touched; see [aloft.AWS].
const noZone = "none"

// zones finds the hosted zones that a release's domains lie in, by domain: the one that is named, else the public one of the
// account with the longest name that the domain ends in. A domain without one is left out, or refused if one was named.
func (p *Platform) zones(ctx context.Context, release aloft.Release) (map[string]string, error) {
	found := map[string]string{}
	if len(release.AWS.Domains) == 0 || release.AWS.Zone == noZone {
		return found, nil
	}
	client := route53.NewFromConfig(p.config(release.AWS.Regions[0]))
	var all []types.HostedZone
	pages := route53.NewListHostedZonesPaginator(client, &route53.ListHostedZonesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, p.Session.explain(err, "list the zones of Route 53")
		}
		all = append(all, page.HostedZones...)
	}
	for _, domain := range release.AWS.Domains {
		if id := zoneOf(domain, release.AWS.Zone, all); id != "" {
			found[domain] = id
		} else if release.AWS.Zone != "" {
			return nil, aloft.Errorf(aloft.Invalid, "the account %s has no public zone %q in Route 53 that %s lies in", p.Session.Account, release.AWS.Zone, domain).
				WithHint("aws route53 list-hosted-zones lists them; with zone: false aloft makes no records and says which ones are needed")
		}
	}
	return found, nil
}

// zoneOf is the id of the zone that a domain lies in, of those that are named so if a name or id is given; "" if there is none.
func zoneOf(domain, named string, all []types.HostedZone) string {
	id, longest := "", 0
	for _, zone := range all {
		name, its := strings.TrimSuffix(sdk.ToString(zone.Name), "."), strings.TrimPrefix(sdk.ToString(zone.Id), "/hostedzone/")
		inside := domain == name || strings.HasSuffix(domain, "."+name)
		private := zone.Config != nil && zone.Config.PrivateZone
		if inside && !private && (named == "" || named == name || named == its) && len(name) > longest {
			id, longest = its, len(name)
		}
	}
	return id
}

// Records says where the records of a stage's domains are to lead, by domain, of those that lie in no zone that aloft writes to: as
// CNAME, or as an alias.
func (p *Platform) Records(ctx context.Context, ref aloft.StageRef) (map[string]string, error) {
	release, err := p.current(ctx, ref)
	if err != nil || release.Version == 0 || len(release.AWS.Domains) == 0 {
		return nil, err
	}
	zones, err := p.zones(ctx, release)
	if err != nil {
		return nil, err
	}
	found, err := p.in(release.AWS.Regions[0]).stackOf(ctx, StackName(ref))
	if err != nil {
		return nil, err
	}
	records := map[string]string{}
	for _, domain := range release.AWS.Domains {
		if target := outputOf(found, stack.DomainOutput(domain)); target != "" && zones[domain] == "" {
			records[domain] = target
		}
	}
	return records, nil
}
