package foreign

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aloft-run/aloft/internal/cfn"
)

// section is the part of aloft.yml with all that stays of the stack.
func (p *placing) section() map[string]any {
	resources, outputs := map[string]any{}, map[string]any{}
	for _, id := range p.sorted() {
		if p.goes[id] == "" {
			resources[cmp.Or(p.anew[id], id)] = p.kept(id)
		}
	}
	p.layAll(resources)
	for _, id := range p.without {
		resources[p.name(id)] = nil
	}
	for _, id := range slices.Sorted(maps.Keys(p.Template.Outputs)) {
		if one := p.output(id); one != nil {
			outputs[id] = one
		}
	}
	if p.noAPI() && outputs[urlOutput] == nil {
		outputs[urlOutput] = p.address()
	}
	all := map[string]any{"Resources": resources, "Outputs": outputs, "Conditions": p.Template.Conditions, "Mappings": p.Template.Mappings}
	led := p.checkSecrets(all)
	all["Parameters"] = p.parameters(all, led)
	for name, part := range all {
		all[name] = generic(part)
		if len(object(all[name])) == 0 {
			delete(all, name)
		}
	}
	return all
}

// layAll adds what is laid over resources of aloft's.
func (p *placing) layAll(resources map[string]any) {
	for _, id := range slices.Sorted(maps.Keys(p.lay)) {
		if len(p.lay[id]) > 0 {
			resources[id] = map[string]any{"Properties": p.led(id, p.lay[id])}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.after)) {
		if len(p.after[id]) > 0 {
			one, _ := resources[id].(map[string]any)
			if one == nil {
				one = map[string]any{}
			}
			one["DependsOn"] = p.after[id]
			resources[id] = one
		}
	}
}

// urlOutput is the output with the address of the stage.
const urlOutput = "URL"

// noAPI reports whether the app has no API of aloft's, since no route of aloft.yml leads to it.
func (p *placing) noAPI() bool {
	_, ours := p.ours.Outputs[urlOutput]
	return ours && slices.Contains(p.without, "Api")
}

// address is the output with the address of the HTTP API that stays; nil if there is none, or are several.
func (p *placing) address() any {
	var all []string
	whole := false // its address leads to a stage
	for _, id := range p.sorted() {
		one := p.Template.Resources[id]
		if one.Type == apiType {
			all = append(all, id)
		}
		whole = whole || one.Type == stageType && one.Properties["StageName"] == "$default"
	}
	if len(all) != 1 || !whole {
		return nil
	}
	return map[string]any{"Value": cfn.GetAtt(all[0], "ApiEndpoint")}
}

// kept is a resource that stays, leading to aloft's functions.
func (p *placing) kept(id string) any {
	one := p.Template.Resources[id]
	if HoldsData(one.Type) {
		one.DeletionPolicy, one.UpdateReplacePolicy = "Retain", "Retain"
	}
	one.DependsOn = p.waits(append(slices.Clone(one.DependsOn), p.permissions(id)...))
	if IsCustom(one.Type) {
		if slices.ContainsFunc(cfn.References(generic(one.Properties["ServiceToken"])), func(to string) bool { return p.goes[to] != "" }) {
			p.fault("%s (%s) is made by a function that would be aloft's, and CloudFormation has nobody else go on with that", id, one.Type)
		}
	}
	lambda := strings.HasPrefix(one.Type, "AWS::Lambda::")
	properties, _ := p.lead(id, lambda, generic(one.Properties)).(map[string]any)
	one.Properties = properties
	return one
}

// waits is what a resource waits for, of what is there then.
func (p *placing) waits(others []string) []string {
	var all []string
	for _, id := range others {
		if to := cmp.Or(p.leads[id], p.anew[id]); to != "" {
			all = append(all, to)
		} else if p.goes[id] == "" || p.goesOn(id) {
			all = append(all, id)
		}
	}
	return all
}

// led are properties that lead to aloft's functions.
func (p *placing) led(id string, properties map[string]any) any {
	return p.lead(id, false, generic(properties))
}

// lead has a value refer to what aloft makes where it refers to what goes. A function's name is its alias to Lambda.
func (p *placing) lead(where string, lambda bool, value any) any {
	return cfn.Rewrite(value, func(id, attribute string) any {
		to, is := p.leads[id]
		if anew := p.anew[id]; anew != "" && attribute == "" {
			return cfn.Ref(anew)
		} else if anew != "" {
			return cfn.GetAtt(anew, attribute)
		}
		if !is {
			if p.goes[id] != "" && !p.goesOn(id) {
				p.fault("%s refers to %s (%s), which goes: %s", where, id, p.Template.Resources[id].Type, p.goes[id])
			}
			return nil
		}
		kind := p.Template.Resources[id].Type
		switch {
		case kind == "AWS::Logs::LogGroup" && attribute != "":
			return cfn.GetAtt(to, attribute)
		case kind == "AWS::Lambda::Function" && (lambda || attribute == "Arn"):
			return cfn.Ref(p.name(p.ids[p.owner[id]].Alias))
		case kind == "AWS::Lambda::Version" && attribute == "Version":
			p.fault("%s refers to a version of the function %s, which goes", where, p.owner[id])
		}
		return cfn.Ref(to)
	})
}

// output is one that stays; nil if it cannot.
func (p *placing) output(id string) any {
	one := p.Template.Outputs[id]
	_, ours := p.ours.Outputs[id]
	if id == urlOutput && p.noAPI() {
		ours = false
	}
	if ours || id == "Fingerprint" {
		p.note("the output %s is aloft's from now on", id)
		return nil
	}
	before := len(p.faults)
	one.Value = p.lead("the output "+id, false, generic(one.Value))
	if len(p.faults) > before {
		p.faults = p.faults[:before]
		p.note("the output %s goes: it names what goes", id)
		return nil
	}
	return one
}

// generic is a value as JSON is decoded, which shares no memory with it.
func generic(value any) any {
	text, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	var all any
	if decode(text, &all) != nil {
		return nil
	}
	return all
}

func marshal(section map[string]any) (json.RawMessage, error) {
	text, err := json.Marshal(section)
	if err != nil {
		return nil, fmt.Errorf("write the section cloudformation: %w", err)
	}
	return text, nil
}
