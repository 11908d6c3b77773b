package foreign_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/foreign"
)

// TestMasked: a template that lies beside an app that is committed holds no secret, and goes on saying what there is.
func TestMasked(t *testing.T) {
	t.Parallel()
	text, ok := foreign.Masked([]byte(`{
		"Parameters": {"Pin": {"Type": "String", "NoEcho": true, "Default": "hunter2-pin"}, "Size": {"Type": "Number", "Default": 7}, "DbPw": {"Type": "String", "Default": "hunter2-default"}},
		"Mappings": {"Stage": {"prod": {"ApiKey": "hunter2-key", "Zone": "kept-zone"}}, "Pins": {"eu-west-1": {"db": "hunter2-map"}}},
		"Resources": {
			"Hello": {"Type": "AWS::Lambda::Function", "Properties": {"Handler": "kept.handler", "Environment": {"Variables": {
				"API_TOKEN": "hunter2", "Name": "hunter2-name", "N": 4711, "TABLE": {"Ref": "KeptItems"}, "URL": {"Fn::Sub": "https://hunter2@${KeptItems}"}}}}},
			"DbSecret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "hunter2-db", "Name": "kept-name"}},
			"Db": {"Type": "AWS::RDS::DBInstance", "Properties": {"MasterUserPassword": "{{resolve:secretsmanager:kept}}", "DBName": "kept-db"}},
			"Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [{"Image": "kept-image", "Environment": [{"Name": "X", "Value": "hunter2-x"}]}]}},
			"Key": {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Value": "hunter2-api", "Name": "kept-key"}},
			"Tunnel": {"Type": "AWS::EC2::VPNConnection", "Properties": {"VpnTunnelOptionsSpecifications": [{"PreSharedKey": "hunter2-vpn", "TunnelInsideCidr": "kept-cidr"}]}},
			"Tick": {"Type": "AWS::Events::Rule", "Properties": {"Targets": [{"Id": "kept-id", "Input": "{\"kind\": \"kept-kind\", \"auth\": {\"api_key\": \"hunter2-input\", \"pin_token\": 4711}}"}]}},
			"Flow": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": {"Fn::Join": ["", ["{\"to\":\"", {"Ref": "Db"}, "\",\"password\":\"hunter2-flow\"}"]]}}},
			"Sub": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": {"Fn::Sub": "{\"password\": \"x\\\\hunter2-sub\", \"wait\": ${Size}}"}}},
			"Plain": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": {"Fn::Sub": "{\"kept-field\": \"${Db}\", \"wait\": ${Size}, \"password\": \"${Db}\"}"}}},
			"Pin": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": {"Fn::Sub": "{\"password\": 4711, \"wait\": ${Size}}"}}},
			"Waits": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": "{\"TaskToken.$\": \"$$.Task.Token\"}"}},
			"Pair": {"Type": "AWS::Events::Connection", "Properties": {"AuthParameters": {"InvocationHttpParameters": {"HeaderParameters": [{"Key": "kept-header", "Value": "hunter2-header", "IsValueSecret": true}]}}}},
			"Made": {"Type": "Custom::Thing", "Properties": {"ServiceToken": "arn:aws:lambda:kept-token"}, "Metadata": {"init": {"password": "hunter2-metadata"}}},
			"Used": {"Type": "AWS::RDS::DBInstance", "Properties": {"MasterUserPassword": {"Ref": "DbPw"}, "MasterUsername": {"Ref": "Size"}}},
			"Looked": {"Type": "AWS::RDS::DBInstance", "Properties": {"MasterUserPassword": {"Fn::FindInMap": ["Pins", {"Ref": "AWS::Region"}, "db"]}}},
			"Value": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": "hunter2-ssm", "Name": "/kept"}}},
		"Outputs": {"Token": {"Value": "hunter2-output"}, "Address": {"Value": "kept-address"}}}`))
	if !ok || strings.Contains(string(text), "hunter2") || strings.Contains(string(text), "4711") {
		t.Errorf("a secret is left:\n%s", text)
	}
	for _, want := range []string{"kept.handler", "API_TOKEN", "KeptItems", "kept-name", "{{resolve:secretsmanager:kept}}", "kept-db", "kept-image", "/kept", "kept-zone", "AWS::SecretsManager::Secret", `"Default": 7`, "kept-key", "kept-cidr", "kept-id", "kept-kind", "kept-field", "$$.Task.Token", "kept-header", "kept-token", "kept-address"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
	if !json.Valid(text) {
		t.Error("it is no JSON")
	}
	if _, ok := foreign.Masked([]byte("Resources:\n  A: hunter2\n")); ok {
		t.Error("YAML is taken for masked")
	}
}
