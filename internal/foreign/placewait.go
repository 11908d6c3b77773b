package foreign

import (
	"slices"

	"github.com/aloft-run/aloft/internal/cfn"
)

// permitFirst has what an API asks wait for the permission to ask it. CloudFormation would lead requests to a new function before
// anybody may invoke that, if nothing tells it the order: an API answers 500 then.
func (p *placing) permitFirst(f Named, ids IDs) {
	for id, one := range p.ours.Resources {
		if one.Type != "AWS::Lambda::Permission" || one.Properties["Principal"] != "apigateway.amazonaws.com" ||
			!slices.Contains(cfn.References(generic(one.Properties["FunctionName"])), ids.Alias) || slices.Contains(p.without, id) {
			continue
		}
		for theirs, key := range p.went {
			if p.on[theirs] && p.Template.Resources[theirs].Type == routeType && slices.Contains(f.keys, key) {
				p.after[theirs] = append(p.after[theirs], p.name(id))
			}
		}
	}
}

// permissions are those that stay and let an API ask the function that a part of it leads to.
func (p *placing) permissions(id string) []string {
	one := p.Template.Resources[id]
	owner := p.ownerOf(one)
	if owner == "" || one.Type != "AWS::ApiGateway::Method" && one.Type != integrationType {
		return nil
	}
	var all []string
	for _, other := range p.sorted() {
		permission := p.Template.Resources[other]
		if permission.Type == "AWS::Lambda::Permission" && p.goes[other] == "" && p.ownerOf(permission) == owner && !p.reaches(other, id, map[string]bool{}) {
			all = append(all, other)
		}
	}
	return all
}

// reaches reports whether a resource waits for another, over however many others.
func (p *placing) reaches(from, to string, seen map[string]bool) bool {
	if from == to || seen[from] {
		return from == to
	}
	seen[from] = true
	one := p.Template.Resources[from]
	for _, next := range append(cfn.References(generic(one.Properties)), one.DependsOn...) {
		if p.reaches(next, to, seen) {
			return true
		}
	}
	return false
}
