package aws

import (
	"context"
	"regexp"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/aloft-run/aloft"
)

var zoneName = regexp.MustCompile(`^[a-z0-9_-]{1,63}(\.[a-z0-9-]{1,63})+$`)

// Zone is a public zone of Route 53. It has an effect once the zone above it, which for a registered domain the registrar
// keeps, names its NameServers.
type Zone struct {
	ID, Name    string
	NameServers []string
	Made        bool   // by this call
	Above       string // the zone of the account that it was entered in; "": it has to be entered elsewhere
}

// EnsureZone returns the public zone for domains of a stage, which it makes if the account has none of that name. A zone that is below
// another one of the account is entered there. It returns Invalid if a domain is not in it, if the release's settings keep aloft
// from it, or if names that are in use would lead nowhere. Nothing of aloft's deletes a zone that has been made.
func (p *Platform) EnsureZone(ctx context.Context, ref aloft.StageRef, name string, domains []string) (Zone, error) {
	name = plainName(name)
	if !zoneName.MatchString(name) {
		return Zone{}, aloft.Errorf(aloft.Invalid, "%q cannot be a zone", name).WithHint("use a domain of yours such as example.com")
	}
	for _, domain := range domains {
		if !strings.HasSuffix("."+plainName(domain), "."+name) {
			return Zone{}, aloft.Errorf(aloft.Invalid, "the domain %s is not in the zone %s", domain, name).WithHint("name a zone that has it, or add it without --zone")
		}
	}
	_, release, err := p.stageOf(ctx, ref)
	if err != nil {
		return Zone{}, err
	}
	said := ""
	if release.AWS != nil {
		said = release.AWS.Zone
	}
	if zoneID.MatchString(said) {
		zone, err := p.zoneOf(ctx, said)
		if err != nil || zone.Name == name {
			return zone, err
		}
	}
	if said != "" && plainName(said) != name {
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
	above := ""
	switch at := within(all, name); at {
	case "":
	case name:
		id, err := one(all, name)
		if err != nil {
			return Zone{}, err
		}
		return p.zoneOf(ctx, id)
	default:
		if above, err = one(all, at); err == nil {
			err = p.unused(ctx, above, at, name)
		}
		if err != nil {
			return Zone{}, err
		}
	}
	zone, err := p.makeZone(ctx, ref, name)
	if err != nil || above == "" {
		return zone, err
	}
	zone.Above = within(all, name)
	return zone, p.delegate(ctx, above, zone)
}

func (p *Platform) makeZone(ctx context.Context, ref aloft.StageRef, name string) (Zone, error) {
	made, err := p.route53().CreateHostedZone(ctx, &route53.CreateHostedZoneInput{
		Name: &name, CallerReference: sdk.String(token("zone")),
		HostedZoneConfig: &types.HostedZoneConfig{Comment: sdk.String("made by aloft domains add for " + ref.String())},
	})
	if is(err, "HostedZoneAlreadyExists") { // the answer to an earlier try was lost
		var all map[string][]string
		if all, err = p.publicZones(ctx); err == nil && len(all[name]) > 0 {
			zone, err := p.zoneOf(ctx, all[name][0])
			zone.Made = true
			return zone, err
		}
	}
	if err != nil {
		return Zone{}, p.Session.explain(err, "make the zone "+name)
	}
	return Zone{ID: zoneIn(made.HostedZone), Name: name, NameServers: made.DelegationSet.NameServers, Made: true}, nil
}

// unused returns Invalid if a zone has records of a name or below it: nobody would find them once the name is a zone.
func (p *Platform) unused(ctx context.Context, id, zone, name string) error {
	pages := route53.NewListResourceRecordSetsPaginator(p.route53(), &route53.ListResourceRecordSetsInput{HostedZoneId: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return p.Session.explain(err, "look at the records of the zone "+zone)
		}
		for _, set := range page.ResourceRecordSets {
			if has := plainName(sdk.ToString(set.Name)); strings.HasSuffix("."+has, "."+name) {
				return aloft.Errorf(aloft.Invalid, "the zone %s has records of %s, which nobody would find any more if %s became a zone", zone, has, name).
					WithHint("leave --zone out: the records go into the zone %s", zone)
			}
		}
	}
	return nil
}

// delegate enters a new zone in the one above it. A zone that cannot be entered goes again: else later deploys would write records there,
// where nobody looks.
func (p *Platform) delegate(ctx context.Context, above string, zone Zone) error {
	const day = 24 * 60 * 60
	var servers []types.ResourceRecord
	for _, server := range zone.NameServers {
		servers = append(servers, types.ResourceRecord{Value: sdk.String(server)})
	}
	_, err := p.route53().ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: &above, ChangeBatch: &types.ChangeBatch{Changes: []types.Change{{
			Action:            types.ChangeActionUpsert,
			ResourceRecordSet: &types.ResourceRecordSet{Name: &zone.Name, Type: types.RRTypeNs, TTL: sdk.Int64(day), ResourceRecords: servers},
		}}},
	})
	if err == nil {
		return nil
	}
	if _, undo := p.route53().DeleteHostedZone(context.WithoutCancel(ctx), &route53.DeleteHostedZoneInput{Id: &zone.ID}); undo != nil {
		p.Logger.Warn("delete a zone that could not be entered", "zone", zone.ID, "error", undo)
	}
	return p.Session.explain(err, "enter the zone "+zone.Name+" in "+zone.Above)
}
