package deploy

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// resourceDiff lists what differs between the resources of two releases. What a release does not declare any more is kept.
func (d *Deployer) resourceDiff(ref aloft.StageRef, old, next []aloft.Resource) []aloft.Change {
	kept := "no longer used; kept until the stage is destroyed"
	if d.AWS != nil {
		kept = "no longer used; it stays in the account, no longer managed"
	}
	before, after := resourcesByName(old), resourcesByName(next)
	var changes []aloft.Change
	for _, name := range names(before, after) {
		a, had := before[name]
		b, has := after[name]
		c := aloft.Change{Kind: "resource", Name: name}
		switch {
		case had && has && reflect.DeepEqual(a, b):
			continue
		case !had:
			c.Action, c.After = aloft.Add, describeResource(ref, b)
		case !has:
			c.Action, c.Before, c.After = aloft.Remove, describeResource(ref, a), kept
		default:
			c.Action, c.Before, c.After = aloft.Modify, describeResource(ref, a), describeResource(ref, b)
		}
		changes = append(changes, c)
	}
	return changes
}

// announceResources says which resources a release makes, changes or uses no more.
func announceResources(changes []aloft.Change, report aloft.Reporter) {
	for _, c := range changes {
		text := "resource " + c.Name + ": " + c.After
		if c.Action == aloft.Add {
			text = "new " + text
		}
		report.Report(aloft.Notice{Text: text})
	}
}

func resourcesByName(resources []aloft.Resource) map[string]aloft.Resource {
	m := map[string]aloft.Resource{}
	for _, r := range resources {
		m[r.Name] = r
	}
	return m
}

// describeResource is a resource in one line, for people.
func describeResource(ref aloft.StageRef, r aloft.Resource) string {
	parts := []string{r.Type, ref.ResourceName(r)}
	for _, k := range slices.Sorted(maps.Keys(r.Options)) {
		parts = append(parts, k+" "+r.Options[k])
	}
	return strings.Join(parts, " · ")
}
