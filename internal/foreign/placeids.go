package foreign

import (
	"maps"
	"slices"
	"strings"

	"github.com/aloft-run/aloft/internal/cfn"
)

// identify decides under which logical ids aloft's resources are in the stack: what takes the place of something goes on under its id,
// so that CloudFormation changes it instead of making a second one beside it, which it does before it deletes the first; all others
// have ids that nothing of the stack has.
func (p *placing) identify() {
	for _, theirs := range slices.Sorted(maps.Keys(p.went)) {
		if ours := p.match(theirs); ours != "" {
			p.called[ours], p.on[theirs] = theirs, true
			p.layOver(theirs, ours)
		}
	}
	for _, id := range append(slices.Sorted(maps.Keys(p.ours.Resources)), laterIDs()...) {
		if _, taken := p.Template.Resources[id]; taken && p.called[id] == "" {
			p.called[id] = p.free("Aloft" + id)
		}
	}
	maps.DeleteFunc(p.called, func(ours, theirs string) bool { return ours == theirs })
	for _, f := range p.app.Functions {
		ids := p.ids[f.As]
		function, alias := p.name(ids.Function), p.name(ids.Alias)
		for id, owner := range p.owner {
			if owner != f.As {
				continue
			}
			switch p.Template.Resources[id].Type {
			case "AWS::Lambda::Function":
				p.leads[id] = function
			case "AWS::Logs::LogGroup":
				p.leads[id] = p.name(strings.TrimSuffix(ids.Function, "Function") + "Logs")
			default: // versions and aliases
				p.leads[id] = alias
			}
		}
		p.layFunction(f, function)
		p.silence(f, ids)
		p.permitFirst(f, ids)
	}
	p.makeAnew()
}

// laterIDs are those of the REST API that the app may have once aws.endpoint says so.
func laterIDs() []string { return []string{"RestApi", "RestApiStage"} }

// makeAnew has deployments of APIs made again whose methods lead to aloft's functions: what was deployed goes on asking the old ones.
func (p *placing) makeAnew() {
	leads := slices.ContainsFunc(p.sorted(), func(id string) bool {
		one := p.Template.Resources[id]
		refers := func(to string) bool { return p.leads[to] != "" }
		return p.goes[id] == "" && strings.HasPrefix(one.Type, "AWS::ApiGateway") && slices.ContainsFunc(cfn.References(generic(one.Properties)), refers)
	})
	for _, id := range p.sorted() {
		if one := p.Template.Resources[id]; leads && p.goes[id] == "" && strings.HasPrefix(one.Type, "AWS::ApiGateway") && strings.HasSuffix(one.Type, "::Deployment") {
			p.anew[id] = p.free("Aloft" + id)
		}
	}
}

// name is what a resource of aloft's is called in the stack.
func (p *placing) name(ours string) string {
	if to, is := p.called[ours]; is {
		return to
	}
	return ours
}

// free is a logical id that nothing of either has.
func (p *placing) free(id string) string {
	for {
		_, theirs := p.Template.Resources[id]
		if _, ours := p.ours.Resources[id]; !theirs && !ours {
			return id
		}
		id += "X"
	}
}

// match is the id of the resource of aloft's that does what one of the stack does; "" if there is none.
func (p *placing) match(theirs string) string {
	one := p.Template.Resources[theirs]
	for _, id := range slices.Sorted(maps.Keys(p.ours.Resources)) {
		candidate := p.ours.Resources[id]
		if candidate.Type != one.Type || p.called[id] != "" {
			continue
		}
		switch one.Type {
		case apiType, stageType:
			return id
		case routeType:
			if candidate.Properties["RouteKey"] == one.Properties["RouteKey"] {
				return id
			}
		case "AWS::Lambda::EventSourceMapping":
			leads := slices.Contains(cfn.References(generic(candidate.Properties["FunctionName"])), p.ids[p.ownerOf(one)].Alias)
			if leads && candidate.Properties["EventSourceArn"] == p.arn(one.Properties["EventSourceArn"]) {
				return id
			}
		}
	}
	return ""
}

// layOver keeps what a resource says that goes on as aloft's, and aloft does not.
func (p *placing) layOver(theirs, ours string) {
	was, is := p.Template.Resources[theirs], p.ours.Resources[ours]
	lay := map[string]any{}
	for name, value := range was.Properties {
		if _, said := is.Properties[name]; !said && name != "Description" && name != "Tags" {
			lay[name] = value
		}
	}
	if is.Type == "AWS::Lambda::EventSourceMapping" && was.Properties["FunctionResponseTypes"] == nil {
		lay["FunctionResponseTypes"] = nil // its answers say nothing of single messages
	}
	if len(lay) > 0 {
		p.lay[theirs] = lay
	}
}

// layFunction keeps what a function has and aloft.yml has no words for, beside its role, which the stack has too.
func (p *placing) layFunction(f Named, id string) {
	was := p.Template.Resources[f.Logical].Properties
	lay := map[string]any{}
	if _, made := was["Role"].(map[string]any); made {
		lay["Role"] = was["Role"] // whatever its name becomes
	}
	for _, name := range []string{"VpcConfig", "TracingConfig", "EphemeralStorage", "KmsKeyArn", "DeadLetterConfig", "ReservedConcurrentExecutions", "FileSystemConfigs"} {
		if value, said := was[name]; said {
			lay[name] = value
		}
	}
	p.lay[id], p.after[id] = lay, p.waits(p.Template.Resources[f.Logical].DependsOn)
	if was["SnapStart"] != nil {
		p.note("SnapStart of %s is not taken over: lambda.snapstart: true in aloft.yml", f.Logical)
	}
}

// silence leaves out the routes that aloft gives handlers without any, by their names: nobody was to ask this function.
func (p *placing) silence(f Named, ids IDs) {
	if len(f.routes) > 0 {
		return
	}
	gone := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(p.ours.Resources)) { // integrations are before routes by their types only
		one := p.ours.Resources[id]
		if one.Type == integrationType && slices.Contains(cfn.References(generic(one.Properties["IntegrationUri"])), ids.Alias) {
			gone[id] = true
		}
		principal := one.Properties["Principal"] == "apigateway.amazonaws.com"
		if one.Type == "AWS::Lambda::Permission" && principal && slices.Contains(cfn.References(generic(one.Properties["FunctionName"])), ids.Alias) {
			gone[id] = true
		}
	}
	for id, one := range p.ours.Resources {
		if one.Type == routeType && slices.ContainsFunc(cfn.References(generic(one.Properties["Target"])), func(to string) bool { return gone[to] }) {
			gone[id] = true
		}
	}
	p.closeAPI(gone)
	for id := range gone {
		p.without = append(p.without, id)
	}
}

// closeAPI leaves out the API of aloft's if no route leads to it.
func (p *placing) closeAPI(gone map[string]bool) {
	if slices.ContainsFunc(p.app.Functions, func(f Named) bool { return len(f.routes) > 0 }) {
		return
	}
	for id, one := range p.ours.Resources {
		if !strings.HasPrefix(one.Type, "AWS::ApiGatewayV2::") {
			continue
		}
		gone[id] = true
		for _, logs := range cfn.References(generic(one.Properties["AccessLogSettings"])) {
			gone[logs] = true
		}
	}
}
