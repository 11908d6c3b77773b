package aws

import (
	"regexp"
	"strings"

	"github.com/aloft-run/aloft"
)

// regionPattern is the form of the names of regions: a part of the world, a direction, a number; see the partitions of AWS's
// endpoint rules. One that is newer than this list passes.
var regionPattern = regexp.MustCompile(`^(us|eu|ap|sa|ca|me|af|il|mx|cn|us-gov|us-iso|us-isob|us-isof|eu-isoe|eusc-[a-z]{2})-` +
	`(north|south|east|west|central|northeast|northwest|southeast|southwest)-[0-9]{1,2}$`)

// CheckRegion returns Invalid for what cannot be the name of a region.
func CheckRegion(region string) error {
	if regionPattern.MatchString(region) {
		return nil
	}
	return aloft.Errorf(aloft.Invalid, "%q is not the name of an AWS region", region).WithHint("write one such as eu-west-1 or us-east-1")
}

// Regions are those of AWS's list "Regions and Availability Zones" of November 2026, to say what was meant by another name.
func Regions() []string {
	return []string{
		"eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2",
		"us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "ca-west-1", "mx-central-1", "sa-east-1",
		"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3",
		"ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ap-east-1", "ap-east-2",
		"af-south-1", "il-central-1", "me-central-1", "me-south-1", "cn-north-1", "cn-northwest-1", "us-gov-east-1", "us-gov-west-1",
	}
}

// globalRegion is where services that are one for all regions are asked, in the part of AWS that a region belongs to: accounts of
// China and of the US government know the others' regions not. See "Amazon Route 53 endpoints" and its SDK's rules.
func globalRegion(home string) string {
	switch {
	case strings.HasPrefix(home, "cn-"):
		return "cn-northwest-1"
	case strings.HasPrefix(home, "us-gov-"):
		return "us-gov-west-1"
	case strings.HasPrefix(home, "us-iso-"):
		return "us-iso-east-1"
	case strings.HasPrefix(home, "us-isob-"):
		return "us-isob-east-1"
	}
	return "us-east-1"
}
