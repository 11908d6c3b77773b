package stack

import (
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// The logical ids of an HTTP API and of a REST API, which are never the same: CloudFormation refuses another type under the logical
// id of what is there, so that a stage could not change from the one to the other. What both have, such as the alarm and the
// permissions, keeps its id.
const (
	httpAPI   = "Api"
	restAPI   = "RestApi"
	stagePart = "Stage" // behind that of its API

	httpType = "AWS::ApiGatewayV2::Api"
	restType = "AWS::ApiGateway::RestApi"
)

// API is the logical id of the API of an endpoint; "" if that has none.
func API(endpoint string) string {
	switch endpoint {
	case aloft.RESTAPI:
		return restAPI
	case aloft.URLEndpoint:
		return ""
	}
	return httpAPI
}

// api is the logical id of the API that the endpoint has.
func (s *render) api() string { return API(s.aws.Endpoint) }

// apiStage is that of the API's stage.
func (s *render) apiStage() string { return s.api() + stagePart }

// accessFormat is a line of the access log of an HTTP API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
const accessFormat = `{"time":"$context.requestTime","id":"$context.requestId","ip":"$context.identity.sourceIp","method":"$context.httpMethod",` +
	`"path":"$context.path","route":"$context.routeKey","status":"$context.status","bytes":"$context.responseLength",` +
	`"ms":"$context.responseLatency","error":"$context.integrationErrorMessage"}`

// addEndpoint adds what requests from outside go through.
func (s *render) addEndpoint() error {
	routes, err := s.routes()
	if err != nil {
		return err
	}
	if err := s.checkEndpoint(routes); err != nil {
		return err
	}
	if s.front() == nil && len(routes) == 0 {
		return nil // events only
	}
	s.atRoot = slices.ContainsFunc(routes, func(r route) bool { return r.path == "/" && (r.method == "GET" || r.method == "ANY") })
	switch s.aws.Endpoint {
	case aloft.RESTAPI:
		err = s.addRESTAPI(routes)
	case aloft.URLEndpoint:
		return s.addURLEndpoint()
	default:
		err = s.addHTTPAPI(routes)
	}
	if err != nil {
		return err
	}
	s.addDomains()
	return nil
}

// checkEndpoint refuses settings that the endpoint does not have.
func (s *render) checkEndpoint(routes []route) error {
	endpoint := s.aws.Endpoint
	switch {
	case endpoint != "" && endpoint != aloft.HTTPAPI && endpoint != aloft.RESTAPI && endpoint != aloft.URLEndpoint:
		return aloft.Errorf(aloft.Invalid, "there is no endpoint %q", endpoint).WithHint("those there are: %s, %s, %s", aloft.HTTPAPI, aloft.RESTAPI, aloft.URLEndpoint)
	case s.aws.WAF != nil && endpoint != aloft.RESTAPI:
		return aloft.Errorf(aloft.Invalid, "a web application firewall needs a REST API").WithHint("set endpoint: %s beside waf, or leave waf out", aloft.RESTAPI)
	case endpoint != aloft.URLEndpoint:
		return nil
	case len(s.aws.Domains) > 0:
		return aloft.Errorf(aloft.Invalid, "a function URL has no domain of its own: %s would need CloudFront before it", s.aws.Domains[0]).
			WithHint("set endpoint: %s, or %s for answers that stream; or remove the domains: aloft domains rm %s --stage %s", aloft.HTTPAPI, aloft.RESTAPI, strings.Join(s.aws.Domains, " "), s.in.Release.Stage)
	case s.aws.Throttle != nil:
		return aloft.Errorf(aloft.Invalid, "a function URL has no throttle").WithHint("set endpoint: %s, or bound the function: lambda.reserved", aloft.HTTPAPI)
	case s.front() == nil:
		return aloft.Errorf(aloft.Invalid, "endpoint: %s is the address of the web function, and the app has none", endpoint).
			WithHint("give each handler an address with url:, or set endpoint: %s", aloft.HTTPAPI)
	}
	for _, r := range routes {
		if len(r.function.Routes) > 0 {
			return aloft.Errorf(aloft.Invalid, "%s has routes, and a function URL leads to the web function only", r.function.Name).
				WithHint("set endpoint: %s, or give %s an address of its own with url:", aloft.HTTPAPI, r.function.Name)
		}
	}
	return nil
}

// addHTTPAPI adds an HTTP API with the front as what answers when no handler's route does.
func (s *render) addHTTPAPI(routes []route) error {
	s.add(httpAPI, httpType, map[string]any{
		"Name": s.in.Release.Label(), "Description": s.in.Release.String(), "ProtocolType": "HTTP",
	})
	if front := s.front(); front != nil {
		integration, err := s.integration(*front)
		if err != nil {
			return err
		}
		s.addRoute("ApiDefaultRoute", "$default", integration)
	}
	for _, r := range routes {
		integration, err := s.integration(r.function)
		if err != nil {
			return err
		}
		key := r.method + " " + r.path
		s.addRoute("ApiRoute"+cfn.Digest(key), key, integration)
	}
	logs, group := s.accessLogs()
	s.put(logs, cfn.Resource{
		Type: "AWS::Logs::LogGroup", DeletionPolicy: "Delete", UpdateReplacePolicy: "Delete",
		// Below vendedlogs CloudWatch needs no policy of ours that grows with each group.
		Properties: map[string]any{"LogGroupName": group, "RetentionInDays": s.logDays()},
	})
	stage := map[string]any{
		"ApiId": cfn.Ref(httpAPI), "StageName": "$default", "AutoDeploy": true,
		"AccessLogSettings": map[string]any{"DestinationArn": cfn.GetAtt(logs, "Arn"), "Format": accessFormat},
	}
	if t := s.aws.Throttle; t != nil {
		stage["DefaultRouteSettings"] = map[string]any{"ThrottlingRateLimit": t.Rate, "ThrottlingBurstLimit": t.Burst}
	}
	s.add(httpAPI+stagePart, "AWS::ApiGatewayV2::Stage", stage)
	s.output(OutputURL, cfn.GetAtt(httpAPI, "ApiEndpoint"), "where requests go")
	return nil
}

// accessLogs are the logical id and the name of the API's log group. The logs of a function called api have that id; the name differs
// then as well, so that the one takes the place of the other in a stack that has been without such a function.
func (s *render) accessLogs() (id, group string) {
	id, group = httpAPI+"Logs", "/aws/vendedlogs/apigateway/"+s.stackName()
	if _, taken := s.template.Resources[id]; taken {
		return httpAPI + "AccessLogs", group + "-access"
	}
	return id, group
}

func (s *render) addRoute(id, key, integration string) {
	s.add(id, "AWS::ApiGatewayV2::Route", map[string]any{
		"ApiId": cfn.Ref(httpAPI), "RouteKey": key, "Target": cfn.Sub("integrations/${" + integration + "}"),
	})
}

// integration adds what leads the API's requests to a function, once, and returns its logical id.
func (s *render) integration(f aloft.Function) (string, error) {
	id := s.prefix[f.Name] + "Integration"
	if _, there := s.template.Resources[id]; there {
		return id, nil
	}
	payload := "2.0"
	switch f.Format {
	case "", "apigw-v2", "function-url":
	case "apigw-v1":
		payload = "1.0"
	default:
		return "", aloft.Errorf(aloft.Invalid, "%s takes events of the format %s, and an HTTP API has none", f.Name, f.Format).WithHint("have it take apigw-v2 or apigw-v1")
	}
	s.add(id, "AWS::ApiGatewayV2::Integration", map[string]any{
		"ApiId": cfn.Ref(httpAPI), "IntegrationType": "AWS_PROXY", "IntegrationUri": cfn.Ref(s.names[f.Name].Alias), "PayloadFormatVersion": payload,
	})
	s.permitAPI(f)
	return id, nil
}

// permitAPI lets the API invoke a function, and no other API.
func (s *render) permitAPI(f aloft.Function) {
	s.add(s.prefix[f.Name]+"ApiPermission", "AWS::Lambda::Permission", map[string]any{
		"FunctionName": cfn.Ref(s.names[f.Name].Alias), "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
		"SourceArn": cfn.Sub("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${" + s.api() + "}/*"),
	})
}

// stackName is what there is one of in a stack is named after. The stack itself may be called otherwise: [aloft.AWS.StackName].
func (s *render) stackName() string { return s.in.Release.App + "-" + s.in.Release.Stage }
