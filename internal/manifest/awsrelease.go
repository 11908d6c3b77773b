package manifest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/aloft-run/aloft"
)

const (
	oneRegion  = "subnets belong to one region, and the stage has %d"
	eachRegion = "use a stage per region, each with a vpc of its own"
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
		return nil, aloft.Errorf(aloft.Invalid, "aws.vpc: "+oneRegion, len(r.Regions)).WithHint(eachRegion)
	}
	if err := s.inRegions(r.Regions); err != nil {
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
