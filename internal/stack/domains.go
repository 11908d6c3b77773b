package stack

import (
	"slices"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// Outputs of each domain, which DomainOutput names.
const (
	domainTarget = "Target" // what the domain's record is to lead to
	domainZone   = "Zone"   // the hosted zone of that, for an alias record
)

// DomainOutput is the name of the output that tells where a domain's record is to lead: a CNAME, or an alias to it.
func DomainOutput(domain string) string { return domainID(domain) + domainTarget }

// DomainCertificate is the logical id of a domain's certificate.
func DomainCertificate(domain string) string { return domainID(domain) + certificateID }

const certificateID = "Certificate"

func domainID(domain string) string { return "Domain" + cfn.Digest(domain) }

// addDomains adds for each domain a certificate, the API's name for it and, where its zone is known, the record. Without a zone
// the stack waits until somebody has made the record that proves the domain: its events say which.
func (s *render) addDomains() {
	s.warnOfHealth()
	for _, domain := range s.aws.Domains {
		id, zone := domainID(domain), s.in.Zones[domain]
		certificate := map[string]any{"DomainName": domain, "ValidationMethod": "DNS"}
		if zone != "" {
			certificate["DomainValidationOptions"] = []any{map[string]any{"DomainName": domain, "HostedZoneId": zone}}
		}
		s.add(DomainCertificate(domain), "AWS::CertificateManager::Certificate", certificate)
		s.add(id, "AWS::ApiGatewayV2::DomainName", map[string]any{
			"DomainName": domain,
			"DomainNameConfigurations": []any{map[string]any{
				"CertificateArn": cfn.Ref(id + "Certificate"), "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2",
			}},
		})
		s.add(id+"Mapping", "AWS::ApiGatewayV2::ApiMapping", map[string]any{
			"ApiId": cfn.Ref(s.api()), "DomainName": cfn.Ref(id), "Stage": cfn.Ref(s.apiStage()),
		})
		if zone != "" {
			s.addRecord(domain, zone)
		}
		s.output(DomainOutput(domain), cfn.GetAtt(id, "RegionalDomainName"), "where the record of "+domain+" leads: a CNAME, or an alias")
		s.output(id+domainZone, cfn.GetAtt(id, "RegionalHostedZoneId"), "the zone of that, for an alias")
	}
}

// addRecord adds the record of a domain. Of several regions each has one, and requests go to the nearest that is well. That of one
// region is of the same kind: Route 53 has no simple record beside those, so that the stage could get no second region.
func (s *render) addRecord(domain, zone string) {
	id := domainID(domain)
	record := map[string]any{
		"HostedZoneId": zone, "Name": domain, "Type": "A",
		"SetIdentifier": s.in.Region, "Region": s.in.Region,
		"AliasTarget": map[string]any{"DNSName": cfn.GetAtt(id, "RegionalDomainName"), "HostedZoneId": cfn.GetAtt(id, "RegionalHostedZoneId"), "EvaluateTargetHealth": false},
	}
	if path := s.healthPath(); len(s.aws.Regions) > 1 && path != "" {
		s.addHealthCheck(path)
		record["HealthCheckId"] = cfn.Ref(healthID)
	}
	s.add(id+"Record", "AWS::Route53::RecordSet", record)
}

// healthPath is the path that Route 53 asks: "" for none, where it is known that none answers. It takes 2xx and 3xx for well, and
// where no region is well, all: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy-latency.html
func (s *render) healthPath() string {
	front := s.front()
	switch {
	case front != nil && front.HealthPath != "":
		return front.HealthPath
	case front == nil && !s.atRoot:
		return ""
	}
	return "/"
}

// warnOfHealth says what of the regions' health is not known, where records go by it.
func (s *render) warnOfHealth() {
	front, zoned := s.front(), slices.ContainsFunc(s.aws.Domains, func(domain string) bool { return s.in.Zones[domain] != "" })
	if len(s.aws.Regions) < 2 || !zoned || front != nil && (front.HealthPath != "" || front.Kind == aloft.Static) {
		return
	}
	const loss = "a region that is down keeps its requests"
	switch {
	case front != nil:
		s.warn("no health path is set: Route 53 asks / of each region, which has to answer 2xx or 3xx, else " + loss + "; set health: /PATH to one that does")
	case s.atRoot:
		s.warn("Route 53 asks GET / of each region, which has to answer 2xx or 3xx, else " + loss + ": have the function with that route do so")
	default:
		s.warn("nothing answers GET /, so Route 53 asks no region whether it is well, and " + loss + "; give a function the route GET /{$}, and have it answer 2xx or 3xx")
	}
}

// healthID is the logical id of what asks the API of this region whether it is well.
const healthID = "ApiHealth"

// addHealthCheck adds it, once. Each of its checks is a request.
func (s *render) addHealthCheck(path string) {
	if _, there := s.template.Resources[healthID]; there {
		return
	}
	if s.aws.Endpoint == aloft.RESTAPI {
		path = "/" + RESTStage + path
	}
	s.add(healthID, healthCheck, map[string]any{
		"HealthCheckConfig": map[string]any{
			"Type": "HTTPS", "FullyQualifiedDomainName": cfn.Sub("${" + s.api() + "}.execute-api.${AWS::Region}.${AWS::URLSuffix}"),
			"Port": 443, "ResourcePath": path, "EnableSNI": true, "RequestInterval": 30, "FailureThreshold": 3,
		},
	})
}

const healthCheck = "AWS::Route53::HealthCheck"

// Checked reports whether Route 53 asks the API of the region whether it is well.
func (o Output) Checked() bool {
	for _, r := range o.Template.Resources {
		if r.Type == healthCheck {
			return true
		}
	}
	return false
}
