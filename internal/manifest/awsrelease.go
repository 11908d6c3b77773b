package manifest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// OnAWS is what a release of the stage on AWS has besides functions and resources: what the project says, and where it says
// nothing, the defaults.
func (s Settings) OnAWS(defaults aloft.AWS) (*aloft.AWS, error) {
	a := deref(s.AWS)
	r := aloft.AWS{
		Regions: slices.Clone(defaults.Regions), Stack: a.Stack, Endpoint: cmp.Or(a.Endpoint, defaults.Endpoint), Architecture: cmp.Or(a.Architecture, defaults.Architecture),
		LogDays: cmp.Or(a.LogDays, defaults.LogDays), Tracing: a.Tracing != nil && *a.Tracing, VPC: a.VPC, KMSKey: cmp.Or(a.KMSKey, defaults.KMSKey),
		IDs: maps.Clone(a.IDs), Tags: maps.Clone(a.Tags), Alarms: a.Alarms, Throttle: a.Throttle, Zone: cmp.Or(a.Zone, defaults.Zone),
	}
	if len(a.Regions) > 0 {
		r.Regions = slices.Clone(a.Regions)
	}
	if a.WAF != nil && !a.WAF.Off {
		r.WAF = &aloft.WAF{RateLimit: a.WAF.RateLimit}
	}
	switch {
	case r.WAF != nil && r.Endpoint != aloft.RESTAPI:
		return nil, aloft.Errorf(aloft.Invalid, "aws.waf: only a REST API can have a web application firewall").
			WithHint("write aws.endpoint: %s in %s, or remove waf", aloft.RESTAPI, AloftFile)
	case r.Throttle != nil && r.Endpoint == aloft.URLEndpoint:
		return nil, aloft.Errorf(aloft.Invalid, "aws.throttle: a function URL has no gateway that could throttle").
			WithHint("bound it with the function's lambda.reserved, or choose another aws.endpoint")
	case r.VPC != nil && len(r.Regions) > 1:
		return nil, aloft.Errorf(aloft.Invalid, "aws.vpc: subnets belong to one region, and the stage has %d", len(r.Regions)).
			WithHint("use a stage per region, each with a vpc of its own")
	}
	if err := s.inRegions(r); err != nil {
		return nil, err
	}
	if len(a.CloudFormation) > 0 {
		text, err := json.Marshal(a.CloudFormation)
		if err != nil {
			return nil, fmt.Errorf("aws.cloudformation: %w", err)
		}
		r.CloudFormation = text
	}
	return r.Clone(), nil
}

// inRegions returns Invalid for an ARN of one region that each region of the stage would need: a key, a layer, a topic.
func (s Settings) inRegions(r aloft.AWS) error {
	check := func(setting, arn string) error {
		const partOfRegion = 3 // arn:aws:kms:us-east-1:123456789012:key/…
		parts := strings.Split(arn, ":")
		if len(parts) <= partOfRegion || parts[0] != "arn" {
			return nil
		}
		for _, region := range r.Regions {
			if region != parts[partOfRegion] {
				return aloft.Errorf(aloft.Invalid, "%s: %s is in the region %s, and the stage runs in %s", setting, arn, parts[partOfRegion], region).
					WithHint("name one of %s; a stage of several regions cannot have it: use a stage per region", region)
			}
		}
		return nil
	}
	err := check("aws.kms-key", r.KMSKey)
	if r.Alarms != nil {
		for _, arn := range r.Alarms.Notify {
			err = cmp.Or(err, check("aws.alarms.notify", arn))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Functions)) {
		f := s.Functions[name]
		if f.Lambda == nil {
			continue
		}
		for _, arn := range f.Lambda.Layers {
			err = cmp.Or(err, check("functions."+name+".lambda.layers", arn))
		}
	}
	return err
}
