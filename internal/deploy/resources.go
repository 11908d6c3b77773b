package deploy

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// resourceDiff lists what differs between the resources of two releases. What a release does not declare any more is kept.
func resourceDiff(ref aloft.StageRef, old, next []aloft.Resource) []aloft.Change {
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
			c.Action, c.Before, c.After = aloft.Remove, describeResource(ref, a), "no longer used; kept until the stage is destroyed"
		default:
			c.Action, c.Before, c.After = aloft.Modify, describeResource(ref, a), describeResource(ref, b)
		}
		changes = append(changes, c)
	}
	return changes
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
