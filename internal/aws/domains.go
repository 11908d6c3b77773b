package aws

import (
	"context"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

// Domain is how a domain of a stage is in one region.
type Domain struct {
	Domain      string   `json:"domain"`
	Region      string   `json:"region"`
	Certificate string   `json:"certificate,omitempty"` // ACM's status, such as "ISSUED" or "PENDING_VALIDATION"; "" while there is none
	Reason      string   `json:"reason,omitempty"`      // why there is no certificate, in ACM's word
	Target      string   `json:"target,omitempty"`      // where the domain is to lead; "" while that is not known
	Zone        string   `json:"zone,omitempty"`        // the Route 53 zone that has its records, which the stack makes; "" means by hand
	NameServers []string `json:"nameServers,omitempty"` // of Zone, while the certificate waits: the zone above must name them
	Records     []Record `json:"records,omitempty"`     // that are to be made by hand; that which leads the domain has the home region
}

// Record is a DNS record.
type Record struct {
	Name  string `json:"name"`
	Type  string `json:"type"` // TypeCNAME, TypeALIAS or what ACM asks for
	Value string `json:"value"`
}

// Domains says of each domain of a stage and each region how far it is: its certificate, where it is to lead, and which records
// have to be made where its DNS is. The certificate's are named while ACM waits for them, also during the deploy that waits.
func (p *Platform) Domains(ctx context.Context, ref aloft.StageRef) ([]Domain, error) {
	stage, release, err := p.stageOf(ctx, ref)
	if err != nil || release.Version == 0 {
		return nil, err
	}
	settings := release.AWS.Clone()
	settings.Domains = stage.Domains // they may be ahead of the release, which is being made then
	zones, err := p.zones(ctx, settings)
	if err != nil {
		return nil, err
	}
	all := []Domain{}
	for _, domain := range stage.Domains {
		for _, name := range settings.Regions {
			one, err := p.in(name).domain(ctx, release, domain, zones[domain])
			if err != nil {
				return nil, err
			}
			if one.Zone != "" && one.Certificate != string(types.CertificateStatusIssued) {
				if one.NameServers, err = p.nameServers(ctx, one.Zone); err != nil {
					return nil, err
				}
			}
			all = append(all, one)
		}
	}
	return all, nil
}

func (r *region) domain(ctx context.Context, release aloft.Release, domain, zone string) (Domain, error) {
	one := Domain{Domain: domain, Region: r.name, Zone: zone}
	found, err := r.stackOf(ctx, StackName(release))
	if err != nil || found == nil {
		return one, err
	}
	one.Target = outputOf(found, stack.DomainOutput(domain))
	if zone == "" && one.Target != "" && r.name == release.AWS.Regions[0] { // a name has one such record, not one for each region
		one.Records = append(one.Records, leading(domain, one.Target))
	}
	arn, err := r.physical(ctx, release, stack.DomainCertificate(domain))
	if err != nil {
		return one, err
	}
	if !strings.HasPrefix(arn, "arn:") { // it has been asked for, but not answered
		return one, nil
	}
	return one, r.certificate(ctx, arn, &one)
}

// certificate fills in what is known of a domain's certificate.
func (r *region) certificate(ctx context.Context, arn string, one *Domain) error {
	out, err := r.certs.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: &arn})
	if is(err, noResource) {
		return nil
	}
	if err != nil {
		return r.Session.explain(err, "look at the certificate of "+one.Domain+" in "+r.name)
	}
	one.Certificate, one.Reason = string(out.Certificate.Status), string(out.Certificate.FailureReason)
	for _, option := range out.Certificate.DomainValidationOptions {
		wanted := option.ResourceRecord
		if wanted == nil || one.Zone != "" || out.Certificate.Status == types.CertificateStatusIssued {
			continue
		}
		one.Records = append(one.Records, Record{
			Name: strings.TrimSuffix(sdk.ToString(wanted.Name), "."), Type: string(wanted.Type), Value: strings.TrimSuffix(sdk.ToString(wanted.Value), "."),
		})
	}
	return nil
}
