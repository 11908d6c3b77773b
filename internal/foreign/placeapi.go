package foreign

import (
	"regexp"
	"strings"

	"github.com/aloft-run/aloft/internal/cfn"
)

// The types of an HTTP API.
const (
	apiType         = "AWS::ApiGatewayV2::Api"
	integrationType = "AWS::ApiGatewayV2::Integration"
	routeType       = "AWS::ApiGatewayV2::Route"
	stageType       = "AWS::ApiGatewayV2::Stage"
)

// api is an HTTP API of the stack with what is of it.
type api struct {
	id           string
	integrations map[string]string // the function that each leads to
	routes       map[string]string // integrations by the ids of routes
	stage        string
}

// chooseAPI makes the one HTTP API of the stack aloft's, if it has nothing that aloft has no words for. Its address stays then, as its
// logical id and those of its routes do.
func (p *placing) chooseAPI() {
	var all []string
	for _, id := range p.sorted() {
		if p.Template.Resources[id].Type == apiType {
			all = append(all, id)
		}
	}
	if len(all) != 1 {
		return
	}
	a := api{id: all[0], integrations: map[string]string{}, routes: map[string]string{}}
	if why := p.readAPI(&a); why != "" {
		p.note("the API %s stays as it is, beside the routes of aloft.yml, which has no words for %s: say new routes of it in the section cloudformation", a.id, why)
		return
	}
	for id, function := range a.integrations {
		p.goes[id] = "routes of " + function
	}
	for id, integration := range a.routes {
		key, _ := p.Template.Resources[id].Properties["RouteKey"].(string)
		f := p.function(a.integrations[integration])
		f.routes, f.keys = append(f.routes, patternOf(key)), append(f.keys, key)
		p.goes[id], p.went[id] = "a route of "+f.As, key
	}
	p.goes[a.id], p.went[a.id] = "the API", apiType
	if a.stage != "" {
		p.goes[a.stage], p.went[a.stage] = "the stage of the API", stageType
	}
}

// routeKey is the form of keys that routes in aloft.yml have too.
var routeKey = regexp.MustCompile(`^(\$default|[A-Z]+ /|[A-Z]+ (/([A-Za-z0-9._~-]+|\{[A-Za-z_][A-Za-z0-9_]*\}))*(/\{[A-Za-z_][A-Za-z0-9_]*\+\})?)$`)

// patternOf is a route's key as a pattern of aloft.yml.
func patternOf(key string) string {
	method, path, _ := strings.Cut(strings.ReplaceAll(key, "+}", "...}"), " ")
	switch method {
	case "$default":
		return "/"
	case "ANY":
		return path
	}
	return method + " " + path
}

// readAPI finds what is of an API, and returns what aloft has no words for; "" if it has for all.
func (p *placing) readAPI(a *api) string {
	one := p.Template.Resources[a.id]
	if one.Properties["ProtocolType"] != "HTTP" || one.Properties["Body"] != nil || one.Properties["BodyS3Location"] != nil || one.Properties["Target"] != nil || one.Condition != "" {
		return "an API of a definition of its own"
	}
	for _, id := range p.sorted() {
		part := p.Template.Resources[id]
		if !refers(part.Properties, a.id) && part.Type != routeType && part.Type != stageType {
			continue
		}
		if why := p.readPart(a, id, part); why != "" {
			return why
		}
	}
	for id, integration := range a.routes {
		if a.integrations[integration] == "" {
			return "what " + id + " leads to"
		}
	}
	return ""
}

func (p *placing) readPart(a *api, id string, part cfn.Resource) string {
	switch part.Type {
	case integrationType:
		owner := p.ownerOf(part)
		if owner == "" || part.Properties["IntegrationType"] != "AWS_PROXY" || part.Properties["PayloadFormatVersion"] != "2.0" ||
			!only(part.Properties, "ApiId", "IntegrationType", "IntegrationUri", "IntegrationMethod", "PayloadFormatVersion", "Description", "ConnectionType", "TimeoutInMillis") {
			return "the integration " + id
		}
		a.integrations[id] = owner
	case routeType:
		key, _ := part.Properties["RouteKey"].(string)
		target := ""
		for _, to := range cfn.References(part.Properties["Target"]) {
			target = to
		}
		if !routeKey.MatchString(key) || target == "" || orText(part.Properties["AuthorizationType"], "NONE") != "NONE" ||
			!only(part.Properties, "ApiId", "RouteKey", "Target", "AuthorizationType", "OperationName") {
			return "the route " + id
		}
		a.routes[id] = target
	case stageType:
		if a.stage != "" || part.Properties["StageName"] != "$default" || part.Properties["AutoDeploy"] != true {
			return "the stage " + id + ", which is not $default"
		}
		a.stage = id
	case "AWS::Lambda::Permission", apiType, "AWS::ApiGatewayV2::ApiMapping":
	default:
		if strings.HasPrefix(part.Type, "AWS::ApiGatewayV2::") {
			return id + " (" + part.Type + ")"
		}
	}
	return ""
}
