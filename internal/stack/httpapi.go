package stack

import (
	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

func (s *render) addEndpoint() error {
	return s.addHTTPAPI()
}

// The logical ids of the endpoint, whichever it is.
const (
	apiID      = "Api"
	apiStageID = "ApiStage"
)

// addHTTPAPI adds an HTTP API with the front as what answers when no handler's route does.
func (s *render) addHTTPAPI() error {
	front := s.front()
	s.add(apiID, "AWS::ApiGatewayV2::Api", map[string]any{
		"Name": s.in.Release.Label(), "Description": s.in.Release.String(), "ProtocolType": "HTTP",
	})
	if front != nil {
		s.add("ApiDefaultRoute", "AWS::ApiGatewayV2::Route", map[string]any{
			"ApiId": cfn.Ref(apiID), "RouteKey": "$default", "Target": cfn.Sub("integrations/${" + s.integration(*front) + "}"),
		})
	}
	s.add(apiStageID, "AWS::ApiGatewayV2::Stage", map[string]any{"ApiId": cfn.Ref(apiID), "StageName": "$default", "AutoDeploy": true})
	s.output(OutputURL, cfn.GetAtt(apiID, "ApiEndpoint"), "where requests go")
	return nil
}

// integration adds what leads the API's requests to a function, once, and returns its logical id.
func (s *render) integration(f aloft.Function) string {
	id := s.prefix[f.Name] + "Integration"
	if _, there := s.template.Resources[id]; there {
		return id
	}
	s.add(id, "AWS::ApiGatewayV2::Integration", map[string]any{
		"ApiId": cfn.Ref(apiID), "IntegrationType": "AWS_PROXY", "IntegrationUri": cfn.Ref(s.names[f.Name].Alias), "PayloadFormatVersion": "2.0",
	})
	s.add(s.prefix[f.Name]+"ApiPermission", "AWS::Lambda::Permission", map[string]any{
		"FunctionName": cfn.Ref(s.names[f.Name].Alias), "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
		"SourceArn": cfn.Sub("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${" + apiID + "}/*"),
	})
	return id
}

func (s *render) addFunctionURLs() error { return nil }
