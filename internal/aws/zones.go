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

var (
	zoneID   = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)
	zoneName = regexp.MustCompile(`^[a-z0-9_-]{1,63}(\.[a-z0-9-]{1,63})+$`)
)

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
				WithHint("make it: aloft domains add DOMAIN --zone %s; or set zone: false and make the records where the domain's DNS is", settings.Zone)
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

// Zone is a public zone of Route 53. It has an effect once the zone above it, which for a registered domain the registrar
// keeps, names its NameServers.
type Zone struct {
	ID, Name    string
	NameServers []string
	Made        bool // by this call
}

// EnsureZone returns the public zone for domains of a stage, which it makes if the account has none of that name. It returns Invalid
// if a domain is not in it or the release's settings keep aloft from it. Nothing of aloft's deletes a zone.
func (p *Platform) EnsureZone(ctx context.Context, ref aloft.StageRef, name string, domains []string) (Zone, error) {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if !zoneName.MatchString(name) {
		return Zone{}, aloft.Errorf(aloft.Invalid, "%q cannot be a zone", name).WithHint("use a domain of yours such as example.com")
	}
	for _, domain := range domains {
		if !strings.HasSuffix("."+strings.TrimSuffix(domain, "."), "."+name) {
			return Zone{}, aloft.Errorf(aloft.Invalid, "the domain %s is not in the zone %s", domain, name).WithHint("name a zone that has it, or add it without --zone")
		}
	}
	_, release, err := p.stageOf(ctx, ref)
	if err != nil {
		return Zone{}, err
	}
	if release.AWS != nil && release.AWS.Zone != "" && strings.TrimSuffix(release.AWS.Zone, ".") != name {
		said := release.AWS.Zone
		if said == noZone {
			said = "false"
		}
		return Zone{}, aloft.Errorf(aloft.Invalid, "aloft.yml has zone: %s, so nothing would go into the zone %s", said, name).
			WithHint("take that out of aloft.yml, aloft up %s, then type the same command again", ref.Stage)
	}
	return p.ensureZone(ctx, ref, name)
}

func (p *Platform) ensureZone(ctx context.Context, ref aloft.StageRef, name string) (Zone, error) {
	all, err := p.publicZones(ctx)
	if err != nil {
		return Zone{}, err
	}
	if id := all[name]; id != "" {
		servers, err := p.nameServers(ctx, id)
		return Zone{ID: id, Name: name, NameServers: servers}, err
	}
	made, err := p.route53().CreateHostedZone(ctx, &route53.CreateHostedZoneInput{
		Name: &name, CallerReference: sdk.String(token("zone")),
		HostedZoneConfig: &types.HostedZoneConfig{Comment: sdk.String("made by aloft domains add for " + ref.String())},
	})
	if is(err, "HostedZoneAlreadyExists") { // the answer to an earlier try was lost
		if all, err = p.publicZones(ctx); err == nil {
			servers, err := p.nameServers(ctx, all[name])
			return Zone{ID: all[name], Name: name, NameServers: servers, Made: true}, err
		}
	}
	if err != nil {
		return Zone{}, p.Session.explain(err, "make the zone "+name)
	}
	return Zone{ID: zoneIn(made.HostedZone), Name: name, NameServers: made.DelegationSet.NameServers, Made: true}, nil
}

// zoneIn is the id of a zone, without what the API puts before it.
func zoneIn(zone *types.HostedZone) string {
	return strings.TrimPrefix(sdk.ToString(zone.Id), "/hostedzone/")
}

// nameServers are those of a zone; none of one that these credentials cannot see.
func (p *Platform) nameServers(ctx context.Context, id string) ([]string, error) {
	out, err := p.route53().GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: &id})
	if is(err, "NoSuchHostedZone", "AccessDenied", "AccessDeniedException") {
		return nil, nil
	}
	if err != nil {
		return nil, p.Session.explain(err, "look at the zone "+id)
	}
	if out.DelegationSet == nil { // of a private zone
		return nil, nil
	}
	return out.DelegationSet.NameServers, nil
}

func (p *Platform) route53() *route53.Client {
	return route53.NewFromConfig(p.config(globalRegion(p.Session.Region)))
}

// publicZones are the ids of the account's zones by their names.
func (p *Platform) publicZones(ctx context.Context) (map[string]string, error) {
	all := map[string]string{}
	pages := route53.NewListHostedZonesPaginator(p.route53(), &route53.ListHostedZonesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, p.Session.explain(err, "look for the zones of the domains")
		}
		for _, zone := range page.HostedZones {
			if zone.Config == nil || !zone.Config.PrivateZone {
				all[strings.TrimSuffix(sdk.ToString(zone.Name), ".")] = zoneIn(&zone)
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
