package manifest

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// arn is an ARN that a setting has.
type arn struct{ setting, text string }

// arns are those of a stage that must be where it runs: keys, topics, layers, roles.
func (s Settings) arns() []arn {
	all := []arn{{"aws.kms-key", deref(s.AWS).KMSKey}}
	if alarms := deref(s.AWS).Alarms; alarms != nil {
		for _, text := range alarms.Notify {
			all = append(all, arn{"aws.alarms.notify", text})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Functions)) {
		f := s.Functions[name]
		if f.Lambda == nil {
			continue
		}
		for _, text := range f.Lambda.Layers {
			all = append(all, arn{"functions." + name + ".lambda.layers", text})
		}
		all = append(all, arn{"functions." + name + ".lambda.role", f.Lambda.Role})
	}
	return slices.DeleteFunc(all, func(a arn) bool { return !strings.HasPrefix(a.text, "arn:") })
}

// ARNRegion is the region of the first ARN that says one, "" if none does: the stage can run in no other.
func (s Settings) ARNRegion() string {
	for _, a := range s.arns() {
		if parts := strings.Split(a.text, ":"); len(parts) > 3 && parts[3] != "" {
			return parts[3]
		}
	}
	return ""
}

// misplaced says why a stage that runs in a region of an account cannot have an ARN, and what to do; "" if it can. No account is
// any. Keys, layers and topics may be another account's that shares them; roles may not.
func (a arn) misplaced(region, account string) (why, hint string) {
	const fields = 6
	parts := strings.SplitN(a.text, ":", fields)
	if len(parts) < fields {
		return "", ""
	}
	switch {
	case parts[3] != "" && parts[3] != region:
		return "it is in the region " + parts[3] + ", and the stage runs in " + region,
			"name one of " + region + "; a stage of several regions cannot have it: use a stage per region"
	case parts[1] != partition(region):
		return "it is of " + parts[1] + ", a part of AWS apart from " + partition(region) + ", where the stage runs (" + region + ")", "name one of arn:" + partition(region) + ":"
	case parts[2] == "iam" && account != "" && parts[4] != account:
		return "it is of the account " + parts[4] + ", and the stage is for " + account, "name a role of that account: Lambda takes no other"
	}
	return "", ""
}

// partition is the part of AWS that a region belongs to. See "Partitions" in AWS's white paper on fault isolation boundaries.
func partition(region string) string {
	for _, p := range []struct{ start, name string }{
		{"cn-", "aws-cn"}, {"us-gov-", "aws-us-gov"}, {"us-isob-", "aws-iso-b"}, {"us-isof-", "aws-iso-f"}, {"eu-isoe-", "aws-iso-e"}, {"us-iso-", "aws-iso"}, {"eusc-", "aws-eusc"},
	} {
		if strings.HasPrefix(region, p.start) {
			return p.name
		}
	}
	return "aws"
}

// inRegions returns Invalid for an ARN that the stage cannot have in each of its regions.
func (s Settings) inRegions(regions []string) error {
	for _, a := range s.arns() {
		for _, region := range regions {
			if why, hint := a.misplaced(region, deref(s.AWS).Account); why != "" {
				return aloft.Errorf(aloft.Invalid, "%s: %s: %s", a.setting, a.text, why).WithHint("%s", hint)
			}
		}
	}
	return nil
}

// onStages are the settings of the stages that a file names. Those that it has for all stages are those of one, called "", only if no
// stage says other things of AWS.
func onStages(l *layer) map[string]Settings {
	stages := map[string]Settings{}
	for name, s := range l.stages {
		if s.AWS != nil {
			stages[name] = s.over(l.base)
		}
	}
	if len(stages) == 0 {
		stages[""] = l.base
		for name, s := range l.stages {
			stages[name] = s.over(l.base)
		}
	}
	maps.DeleteFunc(stages, func(_ string, s Settings) bool { return s.Platform == string(aloft.OnLocal) })
	return stages
}

// checkPlaces finds at its place what OnAWS would refuse in a region, for stages whose regions or account the file says.
func checkPlaces(d *document, n node, l *layer) error {
	stages := onStages(l)
	for _, name := range slices.Sorted(maps.Keys(stages)) {
		s := stages[name]
		if aws := deref(s.AWS); aws.VPC != nil && len(aws.Regions) > 1 {
			vpc := n.under(name, "aws", "vpc")
			return d.fault(vpc.key, "%s: "+oneRegion, vpc.path, len(aws.Regions)).WithHint(eachRegion)
		}
		for _, a := range s.arns() {
			for _, region := range deref(s.AWS).Regions {
				if why, hint := a.misplaced(region, deref(s.AWS).Account); why != "" {
					found := n.holding(a.text, name)
					return d.fault(found.at, "%s: %s", cmp.Or(found.path, a.setting), why).WithHint("%s", hint)
				}
			}
		}
	}
	return nil
}

// under is what keys lead to, in the section of a stage if it is there.
func (n node) under(stage string, keys ...string) node {
	for _, path := range [][]string{append([]string{"stages", stage}, keys...), keys} {
		if found, is := n.down(path); is {
			return found
		}
	}
	return n
}

func (n node) down(keys []string) (node, bool) {
	for _, key := range keys {
		i := slices.IndexFunc(n.fields, func(f field) bool { return f.name == key })
		if i < 0 {
			return node{}, false
		}
		n = n.below(n.fields[i])
	}
	return n, true
}

// holding is the scalar with a text, in the section of a stage if it is there.
func (n node) holding(text, stage string) node {
	if stages, ok := n.get("stages"); ok && stage != "" {
		if section, ok := stages.get(stage); ok {
			section.path = "stages." + stage
			if found := section.scalarOf(text); found.kind != "" {
				return found
			}
		}
	}
	return n.scalarOf(text)
}

// scalarOf is the first scalar with a text; zero if there is none.
func (n node) scalarOf(want string) node {
	if n.scalar() && n.text == want {
		return n
	}
	below := slices.Clone(n.items)
	for _, f := range n.fields {
		below = append(below, n.below(f))
	}
	for _, one := range below {
		if found := one.scalarOf(want); found.kind != "" {
			return found
		}
	}
	return node{}
}
