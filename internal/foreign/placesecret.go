package foreign

import (
	"maps"
	"reflect"
	"slices"

	"github.com/aloft-run/aloft/internal/cfn"
)

// parameters are those of the template that are in use, with the values that they have. One that a secret is made of is refused.
func (p *placing) parameters(all map[string]any, led hiding) map[string]any {
	used := map[string]any{}
	for _, id := range cfn.References(generic(all)) {
		one, is := p.Template.Parameters[id]
		if !is {
			continue
		}
		value, known := p.Parameters[id]
		switch {
		case one.NoEcho:
			p.fault("the parameter %s is secret (NoEcho), and what stays of the stack uses it: aloft.yml is no place for its value", id)
		case led.ids[id] && !named(one.Type):
			p.fault("the parameter %s may be secret, by what it is used for, and what stays of the stack uses it: aloft.yml is no place for its value", id)
		case secret(id) && !named(one.Type):
			p.fault("the parameter %s may be secret, by its name, and what stays of the stack uses it: aloft.yml is no place for its value", id)
		case known:
			one.Default = value
		}
		if _, ours := p.ours.Parameters[id]; ours {
			p.fault("the parameter %s has the name of one of aloft's", id)
		}
		used[id] = one
	}
	return used
}

// checkSecrets finds values that may be secret, those that a template beside an app has *** for, and what leads to such.
func (p *placing) checkSecrets(all map[string]any) hiding {
	led := newHiding()
	fault := func(id, found string) {
		if found != "" {
			p.fault("%s has a value that may be secret (%s), and aloft.yml is no place for it", id, found)
		}
	}
	resources, outputs, mappings := object(generic(all["Resources"])), object(generic(all["Outputs"])), object(generic(all["Mappings"]))
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		resource := object(resources[id])
		kind, _ := resource["Type"].(string)
		fault(id, hidden(resource["Properties"], func(properties map[string]any) { led.properties(kind, properties) }))
		fault(id, hidden(resource["Metadata"], func(metadata map[string]any) { led.hide(metadata, false) }))
	}
	for _, id := range slices.Sorted(maps.Keys(outputs)) {
		fault(id, hidden(map[string]any{id: object(outputs[id])["Value"]}, func(output map[string]any) { led.hide(output, false) }))
	}
	for _, id := range slices.Sorted(maps.Keys(mappings)) {
		fault(id, hidden(mappings[id], func(mapping map[string]any) { led.hide(mapping, led.mappings[id] || secret(id)) }))
	}
	return led
}

// hidden is where in a value something may be secret, which hide masks; "" if nothing is.
func hidden(value any, hide func(map[string]any)) string {
	shown, masked := object(value), object(generic(value))
	if shown == nil {
		return ""
	}
	hide(masked)
	for _, key := range slices.Sorted(maps.Keys(shown)) {
		if !reflect.DeepEqual(generic(shown[key]), masked[key]) {
			return key
		}
	}
	return ""
}
