package stack

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// RESTStage is the name of the REST API's stage, which all its own URLs begin with.
const RESTStage = "live"

// node is a path of a REST API.
type node struct {
	id      string // logical id; "" is the root, which the API has by itself
	methods map[string]bool
}

// rest is a REST API in the making: each path is a resource below that of the path before it.
type rest struct {
	*render
	nodes   map[string]*node
	methods []string // logical ids, in order
}

// addRESTAPI adds a REST API. Answers of web functions stream; a handler's come whole.
func (s *render) addRESTAPI(routes []route) error {
	s.add(restAPI, restType, map[string]any{
		"Name": s.in.Release.Label(), "Description": s.in.Release.String(), "BinaryMediaTypes": []string{"*/*"},
		"EndpointConfiguration": map[string]any{"Types": []string{"REGIONAL"}},
	})
	r := &rest{render: s, nodes: map[string]*node{"/": {methods: map[string]bool{}}}}
	for _, route := range routes {
		if f := route.function; f.Format != "apigw-v1" {
			return aloft.Errorf(aloft.Invalid, "%s takes events of the format apigw-v2, and a REST API sends apigw-v1", f.Name).
				WithHint("set format: apigw-v1 for %s, or endpoint: %s", f.Name, aloft.HTTPAPI)
		}
		r.method(route.path, route.method, route.function)
	}
	front, all := s.front(), routes
	if front != nil {
		all = append(slices.Clip(all), route{"ANY", "/" + greedy, *front})
	}
	if err := oneVariable(all); err != nil {
		return err
	}
	if front != nil {
		r.node("/" + greedy)
		for path, n := range sorted(r.nodes) { // what no route is for, also where others of the same path are
			if !n.methods["ANY"] {
				r.method(path, "ANY", *front)
			}
		}
	}
	return r.deploy()
}

// node is that of a path, with those before it.
func (r *rest) node(path string) *node {
	if n := r.nodes[path]; n != nil {
		return n
	}
	at := strings.LastIndexByte(path, '/')
	parent := cfn.GetAtt(restAPI, "RootResourceId")
	if above := r.node(exact(path[:at+1])); above.id != "" {
		parent = cfn.Ref(above.id)
	}
	n := &node{id: "ApiPath" + cfn.Digest(path), methods: map[string]bool{}}
	r.add(n.id, "AWS::ApiGateway::Resource", map[string]any{"RestApiId": cfn.Ref(restAPI), "ParentId": parent, "PathPart": path[at+1:]})
	r.nodes[path] = n
	return n
}

// method leads requests to a function.
func (r *rest) method(path, method string, f aloft.Function) {
	n := r.node(path)
	n.methods[method] = true
	resource := cfn.GetAtt(restAPI, "RootResourceId")
	if n.id != "" {
		resource = cfn.Ref(n.id)
	}
	invoke, ending := "2015-03-31", "/invocations"
	integration := map[string]any{"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST"}
	if f.Kind != aloft.Handler {
		invoke, ending = "2021-11-15", "/response-streaming-invocations"
		integration["ResponseTransferMode"] = "STREAM"
		if timeout, err := r.timeout(f); err == nil {
			integration["TimeoutInMillis"] = int(timeout.Milliseconds())
		}
	}
	alias := r.names[f.Name].Alias
	integration["Uri"] = cfn.Sub("arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/" + invoke + "/functions/${" + alias + "}" + ending)
	id := "ApiMethod" + cfn.Digest(method+" "+path)
	r.add(id, "AWS::ApiGateway::Method", map[string]any{
		"RestApiId": cfn.Ref(restAPI), "ResourceId": resource, "HttpMethod": method, "AuthorizationType": "NONE", "Integration": integration,
	})
	r.methods = append(r.methods, id)
	if _, there := r.template.Resources[r.prefix[f.Name]+"ApiPermission"]; !there {
		r.permitAPI(f)
	}
}

// deploy adds the deployment, another one when the routes change, and the stage that serves it. There is no access log: a REST
// API writes one only with a role that is the whole account's. The functions log their requests.
func (r *rest) deploy() error {
	var text strings.Builder
	for _, id := range r.methods {
		properties, err := json.Marshal(r.template.Resources[id].Properties)
		if err != nil {
			return aloft.Errorf(aloft.Internal, "write %s: %w", id, err)
		}
		text.WriteString(id + string(properties))
	}
	deployment := "ApiDeployment" + cfn.Digest(text.String())
	r.put(deployment, cfn.Resource{
		Type: "AWS::ApiGateway::Deployment", DependsOn: r.methods, Properties: map[string]any{"RestApiId": cfn.Ref(restAPI)},
	})
	stage := map[string]any{"RestApiId": cfn.Ref(restAPI), "DeploymentId": cfn.Ref(deployment), "StageName": RESTStage, "TracingEnabled": r.aws.Tracing}
	if t := r.aws.Throttle; t != nil {
		stage["MethodSettings"] = []any{map[string]any{
			"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": t.Rate, "ThrottlingBurstLimit": t.Burst,
		}}
	}
	r.add(restAPI+stagePart, "AWS::ApiGateway::Stage", stage)
	r.addWAF()
	r.output(OutputURL, cfn.Sub("https://${"+restAPI+"}.execute-api.${AWS::Region}.${AWS::URLSuffix}/"+RESTStage), "where requests go")
	return nil
}

// defaultRateLimit is how many requests of one address a firewall lets through in five minutes.
const defaultRateLimit = 2000

func (r *rest) addWAF() {
	if r.aws.WAF == nil {
		return
	}
	visible := func(metric string) map[string]any {
		return map[string]any{"CloudWatchMetricsEnabled": true, "SampledRequestsEnabled": true, "MetricName": metric}
	}
	r.add("Firewall", "AWS::WAFv2::WebACL", map[string]any{
		"Name": r.stackName(), "Scope": "REGIONAL", "DefaultAction": map[string]any{"Allow": map[string]any{}}, "VisibilityConfig": visible(r.stackName()),
		"Rules": []any{map[string]any{
			"Name": "rate", "Priority": 0, "Action": map[string]any{"Block": map[string]any{}}, "VisibilityConfig": visible(r.stackName() + "-rate"),
			"Statement": map[string]any{"RateBasedStatement": map[string]any{"AggregateKeyType": "IP", "Limit": orElse(r.aws.WAF.RateLimit, defaultRateLimit)}},
		}},
	})
	r.put("FirewallAssociation", cfn.Resource{
		Type: "AWS::WAFv2::WebACLAssociation", DependsOn: []string{restAPI + stagePart},
		Properties: map[string]any{
			"WebACLArn":   cfn.GetAtt("Firewall", "Arn"),
			"ResourceArn": cfn.Sub("arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${" + restAPI + "}/stages/" + RESTStage),
		},
	})
}

// oneVariable returns Invalid if routes have different variables at one place: a resource of a REST API has one child at most that is
// a variable.
func oneVariable(routes []route) error {
	type first struct {
		part  string
		route route
	}
	seen := map[string]first{} // by the path before
	for _, route := range routes {
		above := ""
		for part := range strings.SplitSeq(strings.TrimPrefix(route.path, "/"), "/") {
			if other, has := seen[above]; strings.HasPrefix(part, "{") && has && other.part != part {
				return aloft.Errorf(aloft.Invalid, "the routes %s of %s and %s of %s have two variables at one place, %s and %s, and a REST API has one", other.route.path,
					other.route.function.Name, route.path, route.function.Name, other.part, part).
					WithHint("%s, or set endpoint: %s", apart(part, other.part), aloft.HTTPAPI)
			} else if strings.HasPrefix(part, "{") {
				seen[above] = first{part, route}
			}
			above += "/" + part
		}
	}
	return nil
}

// apart says how two variables get on: one that takes the rest of the path is none that takes a part of it.
func apart(a, b string) string {
	if strings.HasSuffix(a, "+}") != strings.HasSuffix(b, "+}") {
		return "put a part with a name of its own before one of them, as in /pages/{name}"
	}
	return "give the variables one name"
}
