package terraform

import (
	"strconv"

	"github.com/aloft-run/aloft/internal/cfn"
)

func domainKinds() map[string]kind {
	return map[string]kind{
		"AWS::CertificateManager::Certificate": {
			name: "aws_acm_certificate", from: "aws_acm_certificate_validation", attributes: map[string]string{"": "certificate_arn"}, more: validation,
			shape: shape{
				"DomainName": as("domain_name"), "ValidationMethod": as("validation_method"), "SubjectAlternativeNames": as("subject_alternative_names"), "Tags": tags(),
				"DomainValidationOptions": none,
			},
		},
		"AWS::Route53::RecordSet": {
			name: "aws_route53_record", attributes: map[string]string{"": "fqdn"},
			shape: shape{
				"HostedZoneId": as("zone_id"), "Name": as("name"), "Type": as("type"), "TTL": as("ttl"), "ResourceRecords": as("records"),
				"SetIdentifier": as("set_identifier"), "HealthCheckId": as("health_check_id"),
				"AliasTarget": block("alias", shape{"DNSName": as("name"), "HostedZoneId": as("zone_id"), "EvaluateTargetHealth": as("evaluate_target_health")}),
				"Region": func(t *translation, to *body, v any) error {
					return as("region")(t, to.block("latency_routing_policy"), v)
				},
			},
		},
		"AWS::Route53::HealthCheck": {
			name: "aws_route53_health_check", attributes: map[string]string{"": "id", "HealthCheckId": "id"},
			shape: shape{
				"HealthCheckTags": tags(),
				"HealthCheckConfig": flat(shape{
					"Type": as("type"), "FullyQualifiedDomainName": as("fqdn"), "IPAddress": as("ip_address"), "Port": as("port"), "ResourcePath": as("resource_path"),
					"EnableSNI": as("enable_sni"), "RequestInterval": as("request_interval"), "FailureThreshold": as("failure_threshold"),
				}),
			},
		},
	}
}

// validation proves the domain, as CloudFormation does by itself where the template names the zone, and waits until it is proved.
func validation(t *translation, _ string, r cfn.Resource, main *section) error {
	main.body.block("lifecycle").set("create_before_destroy", true)
	wait := t.add("aws_acm_certificate_validation", main.name)
	wait.body.set("certificate_arn", raw(main.address()+".arn"))
	options, _ := r.Properties["DomainValidationOptions"].([]any)
	var proved []any
	for i, one := range options {
		option, _ := one.(map[string]any)
		zone, err := t.value(option["HostedZoneId"])
		if err != nil {
			return err
		}
		proof := main.address() + ".domain_validation_options"
		at := func(attribute string) raw { return raw("tolist(" + proof + ")[" + strconv.Itoa(i) + "]." + attribute) }
		record := t.add("aws_route53_record", numbered(main.name, i, len(options)))
		record.body.set("zone_id", zone)
		record.body.set("name", at("resource_record_name"))
		record.body.set("type", at("resource_record_type"))
		record.body.set("records", []any{at("resource_record_value")})
		record.body.set("ttl", 60)
		record.body.set("allow_overwrite", true)
		proved = append(proved, raw(record.address()+".fqdn"))
	}
	if len(proved) > 0 {
		wait.body.set("validation_record_fqdns", proved)
	}
	return nil
}
