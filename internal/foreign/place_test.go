package foreign_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/foreign"
	"github.com/aloft-run/aloft/internal/manifest"
	"github.com/aloft-run/aloft/internal/stack"
	"github.com/aloft-run/aloft/internal/standard"
)

// theirs is a stack of functions that all have one package.
func theirs(t *testing.T, template string) (foreign.Stack, foreign.App) {
	t.Helper()
	s := foreign.Stack{Name: "their-shop", Region: "us-east-1", Physical: map[string]foreign.Resource{}, Parameters: map[string]string{"Size": "7", "Pin": "****"}}
	s.Template, s.Fault = foreign.Parse([]byte(template))
	for id, one := range s.Template.Resources {
		physical := "their-" + id
		switch one.Type {
		case "AWS::SQS::Queue":
			physical = "https://sqs.us-east-1.amazonaws.com/123456789012/" + id
		case "AWS::SNS::Topic":
			physical = "arn:aws:sns:us-east-1:123456789012:" + id
		case "AWS::Lambda::Function":
			if one.Properties["PackageType"] != "Image" {
				s.Functions = append(s.Functions, foreign.Function{
					Logical: id, Name: physical, Handler: "app." + strings.ToLower(id), Runtime: "python3.13", Architecture: "arm64", Memory: 256, Timeout: 5,
					Role: "arn:aws:iam::123456789012:role/their-Role", Digest: strings.Repeat("ab", 32),
				})
			}
		}
		s.Physical[id] = foreign.Resource{Type: one.Type, ID: physical}
	}
	slices.SortFunc(s.Functions, func(a, b foreign.Function) int { return strings.Compare(a.Logical, b.Logical) })
	out := foreign.Read(s)
	if s.Fault != nil {
		return s, foreign.App{Name: "their-shop", Functions: []foreign.Named{{Function: foreign.Function{Logical: "Hello"}, As: "hello"}}}
	}
	if len(out.Apps) != 1 {
		t.Fatalf("apps: %+v", out.Apps)
	}
	return s, out.Apps[0]
}

func input(release aloft.Release) stack.Input {
	object := stack.Object{Bucket: "bucket", Key: "key.zip"}
	return stack.Input{
		Release: release, Region: "us-east-1", Code: object, Shim: object, Kinds: standard.CloudKinds(),
		Sources: func(uri string) (eventsource.Source, error) {
			return standard.EventSources(standard.Sourced{}).Parse(release.StageRef, uri)
		},
	}
}

func render(release aloft.Release) (cfn.Template, map[string]foreign.IDs, error) {
	out, err := stack.Render(input(release))
	ids := map[string]foreign.IDs{}
	for name, names := range out.Functions {
		ids[name] = foreign.IDs{Function: names.Function, Alias: names.Alias}
	}
	return out.Template, ids, err
}

// inPlace has an app go on in its stack, and renders its first release.
func inPlace(t *testing.T, s foreign.Stack, app foreign.App) (foreign.Placed, stack.Output) {
	t.Helper()
	placed, err := foreign.InPlace(s, app, "production", render)
	if err != nil {
		t.Fatalf("%v\n%s", err, detail(err))
	}
	out, err := stack.Render(input(placed.Release))
	if err != nil {
		t.Fatal(err)
	}
	return placed, out
}

const lambdas = `
	"Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}},
	"Hello": {"Type": "AWS::Lambda::Function", "DependsOn": "Role", "Properties": {"Handler": "app.hello", "Runtime": "python3.13", "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Code": {"S3Bucket": "b", "S3Key": "k"},
		"Environment": {"Variables": {"TOKEN": "hunter2"}}, "EphemeralStorage": {"Size": 1024}, "SnapStart": {"ApplyOn": "PublishedVersions"}}},
	"Work": {"Type": "AWS::Lambda::Function", "Properties": {"Handler": "app.work", "Runtime": "python3.13", "Role": {"Fn::GetAtt": "Role.Arn"}, "Code": {"S3Bucket": "b", "S3Key": "k"}}}`

// TestInPlace: what stays says what it said, leads to the app's functions, and the whole is a template that CloudFormation takes.
func TestInPlace(t *testing.T) {
	t.Parallel()
	s, app := theirs(t, `{"Transform": "AWS::Serverless-2016-10-31", "Description": "theirs",
	"Parameters": {"Size": {"Type": "Number", "Default": 1}, "Pin": {"Type": "String", "NoEcho": "true"}},
	"Conditions": {"Large": {"Fn::Equals": [{"Ref": "Size"}, 7]}},
	"Resources": {`+lambdas+`,
		"Items": {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PAY_PER_REQUEST", "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
			"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}},
		"Jobs": {"Type": "AWS::SQS::Queue", "Condition": "Large", "Properties": {"VisibilityTimeout": {"Ref": "Size"}}},
		"News": {"Type": "AWS::SNS::Topic"},
		"Uploads": {"Type": "AWS::S3::Bucket", "DependsOn": ["UploadsPermission"], "Properties": {"NotificationConfiguration": {"LambdaConfigurations": [{"Event": "s3:ObjectCreated:*", "Function": {"Fn::GetAtt": ["Work", "Arn"]}}]}}},
		"UploadsPermission": {"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": {"Ref": "Work"}, "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com", "SourceAccount": {"Ref": "AWS::AccountId"}}},
		"Stream": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"FunctionName": {"Ref": "Work"}, "EventSourceArn": {"Fn::GetAtt": ["Items", "StreamArn"]}, "StartingPosition": "LATEST"}},
		"Poll": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"FunctionName": {"Fn::GetAtt": ["Work", "Arn"]}, "EventSourceArn": {"Fn::GetAtt": ["Jobs", "Arn"]}, "BatchSize": 3, "FunctionResponseTypes": ["ReportBatchItemFailures"]}},
		"Tick": {"Type": "AWS::Events::Rule", "Properties": {"ScheduleExpression": "rate(1 hour)", "Targets": [{"Id": "a", "Arn": {"Fn::GetAtt": ["Work", "Arn"]}}]}},
		"TickPermission": {"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": {"Ref": "Work"}, "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com", "SourceArn": {"Fn::GetAtt": ["Tick", "Arn"]}}},
		"Pattern": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": ["shop"]}, "Targets": [{"Id": "a", "Arn": {"Fn::GetAtt": ["Work", "Arn"]}}, {"Id": "b", "Arn": {"Fn::GetAtt": ["Hello", "Arn"]}}]}},
		"Heard": {"Type": "AWS::SNS::Subscription", "Properties": {"TopicArn": {"Ref": "News"}, "Protocol": "lambda", "Endpoint": {"Fn::GetAtt": ["Work", "Arn"]}}},
		"WorkLog": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Fn::Sub": "/aws/lambda/${Work}"}}},
		"Errors": {"Type": "AWS::Logs::MetricFilter", "Properties": {"LogGroupName": {"Ref": "WorkLog"}, "FilterPattern": "ERROR", "MetricTransformations": [{"MetricName": "e", "MetricNamespace": "n", "MetricValue": "1"}]}},
		"WorkAlarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "MetricName": "Errors", "Namespace": "AWS/Lambda", "Period": 60, "Statistic": "Sum", "Threshold": 1, "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": "Work"}}]}},
		"HelloAlias": {"Type": "AWS::SQS::Queue"},
		"Open": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Body": {"openapi": "3.0.1", "info": {"title": "t", "version": "1"}, "paths": {"/": {"get": {"x-amazon-apigateway-integration": {"type": "aws_proxy", "httpMethod": "POST", "payloadFormatVersion": "2.0",
			"uri": {"Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Hello.Arn}/invocations"}}}}}}}},
		"OpenStage": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": {"ApiId": {"Ref": "Open"}, "StageName": "$default", "AutoDeploy": true}},
		"Rest": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "rest"}},
		"RestMethod": {"Type": "AWS::ApiGateway::Method", "Properties": {"RestApiId": {"Ref": "Rest"}, "ResourceId": {"Fn::GetAtt": ["Rest", "RootResourceId"]}, "HttpMethod": "GET", "AuthorizationType": "NONE", "Integration": {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST",
			"Uri": {"Fn::Join": ["", ["arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/", {"Fn::GetAtt": ["Hello", "Arn"]}, "/invocations"]]}}}},
		"RestPermission": {"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": {"Ref": "Hello"}, "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com", "SourceArn": {"Fn::Sub": "arn:aws:execute-api:us-east-1:123456789012:${Rest}/*"}}},
		"StagePermission": {"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": {"Ref": "Hello"}, "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com", "SourceArn": {"Fn::Sub": "arn:aws:execute-api:us-east-1:123456789012:${Rest}/${RestStage}/*"}}},
		"RestDeployment": {"Type": "AWS::ApiGateway::Deployment", "DependsOn": "RestMethod", "Properties": {"RestApiId": {"Ref": "Rest"}}},
		"RestStage": {"Type": "AWS::ApiGateway::Stage", "Properties": {"RestApiId": {"Ref": "Rest"}, "DeploymentId": {"Ref": "RestDeployment"}, "StageName": "prod"}}
	}, "Outputs": {"HelloArn": {"Value": {"Fn::GetAtt": ["Hello", "Arn"]}}, "Ticks": {"Value": {"Ref": "Tick"}}, "Table": {"Value": {"Ref": "Items"}, "Export": {"Name": "table"}}}}`)
	placed, out := inPlace(t, s, app)
	if !strings.Contains(strings.Join(placed.Notes, "\n"), "SnapStart of Hello is not taken over: lambda.snapstart: true") {
		t.Errorf("notes %q", placed.Notes)
	}
	got := generic(t, out.Template.Resources)
	for id, want := range map[string]string{
		"Uploads":           `"Function":{"Ref":"WorkAlias"}`,
		"UploadsPermission": `"FunctionName":{"Ref":"WorkAlias"}`,
		"Stream":            `"FunctionName":{"Ref":"WorkAlias"}`,
		"Poll":              `"BatchSize":3`,
		"Pattern":           `{"Arn":{"Ref":"AloftHelloAlias"},"Id":"b"}`,
		"Errors":            `"LogGroupName":{"Ref":"WorkLogs"}`,
		"WorkAlarm":         `"Value":{"Ref":"WorkFunction"}`,
		"Open":              `functions/${AloftHelloAlias}/invocations`,
		"RestMethod":        `{"Ref":"AloftHelloAlias"}`,
		"RestPermission":    `"FunctionName":{"Ref":"AloftHelloAlias"}`,
		"RestStage":         `"DeploymentId":{"Ref":"AloftRestDeployment"}`,
		"Items":             `"DeletionPolicy":"Retain"`,
		"Jobs":              `"VisibilityTimeout":{"Ref":"Size"}`,
		"HelloFunction":     `"EphemeralStorage":{"Size":1024}`,
	} {
		if !strings.Contains(got[id], want) {
			t.Errorf("%s: %s is missing in %s", id, want, got[id])
		}
	}
	for _, id := range []string{"Hello", "Work", "Tick", "TickPermission", "Heard", "WorkLog", "RestDeployment"} {
		if text, there := got[id]; there {
			t.Errorf("%s is still there: %s", id, text)
		}
	}
	for id, resource := range out.Template.Resources {
		if was, kept := s.Template.Resources[id]; kept && foreign.HoldsData(was.Type) && id != "Uploads" && !reflect.DeepEqual(text(t, was.Properties), text(t, resource.Properties)) {
			t.Errorf("%s says %s, and said %s", id, text(t, resource.Properties), text(t, was.Properties))
		}
		if strings.HasPrefix(resource.Type, "AWS::ApiGatewayV2::Route") {
			t.Errorf("%s lets everybody ask a function that nobody could", id)
		}
	}
	if after := out.Template.Resources["RestMethod"].DependsOn; !slices.Equal(after, []string{"RestPermission"}) {
		t.Errorf("what the API asks waits for %q", after)
	}
	if out.Template.Parameters["Size"].Default != "7" || out.Template.Outputs["Table"].Export == nil || out.Template.Parameters["Pin"].Type != "" {
		t.Errorf("%+v %+v", out.Template.Parameters, out.Template.Outputs)
	}
	if _, there := out.Template.Outputs["Ticks"]; there {
		t.Error("an output names what goes")
	}
	says(t, placed.App.Manifest, "stack: their-shop", `- "schedule:rate(1 hour)"`, "arn:aws:sns:us-east-1:123456789012:News", `:Jobs?batch=3"`)
	readAgain(t, placed)
	lint(t, out.Template)
}

// TestStores: what may have data gets Retain with an import in place, whatever it said; what ordinary stacks are else made of does not.
func TestStores(t *testing.T) {
	t.Parallel()
	stores := []string{
		"AWS::CloudFormation::Stack", "AWS::Redshift::Cluster", "AWS::MSK::Cluster", "AWS::FSx::FileSystem", "AWS::MemoryDB::Cluster", "AWS::AmazonMQ::Broker", "AWS::DAX::Cluster",
		"AWS::S3Express::DirectoryBucket", "AWS::S3Tables::TableBucket", "AWS::Route53::HostedZone", "AWS::Backup::BackupVault", "AWS::QLDB::Ledger", "AWS::Cassandra::Table",
		"AWS::Elasticsearch::Domain", "AWS::OpenSearchServerless::Collection", "AWS::Cognito::IdentityPool", "AWS::Cognito::UserPoolUser", "AWS::SSM::Parameter", "AWS::DynamoDB::Table",
		"AWS::S3::Bucket", "AWS::Logs::LogGroup", "AWS::EC2::Instance", "AWS::ApiGateway::ApiKey", "AWS::CloudFront::KeyValueStore", "Custom::Database", "Others::Own::Store",
	}
	plain := []string{
		"AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::Lambda::Permission", "AWS::Lambda::LayerVersion", "AWS::ApiGateway::Method", "AWS::ApiGatewayV2::Authorizer", "AWS::Events::Rule",
		"AWS::Scheduler::Schedule", "AWS::Lambda::EventSourceMapping", "AWS::CloudWatch::Alarm", "AWS::CodeDeploy::DeploymentGroup", "AWS::StepFunctions::StateMachine", "AWS::S3::BucketPolicy",
		"AWS::SNS::Subscription", "AWS::SQS::QueuePolicy", "AWS::CDK::Metadata", "AWS::EC2::SecurityGroup", "AWS::CloudFront::Distribution",
	}
	var more strings.Builder
	for i, kind := range slices.Concat(stores, plain) {
		fmt.Fprintf(&more, `, "R%d": {"Type": %q, "DeletionPolicy": "Delete"}`, i, kind)
	}
	s, app := theirs(t, `{"Resources": {`+lambdas+more.String()+`}}`)
	_, out := inPlace(t, s, app)
	for i, kind := range slices.Concat(stores, plain) {
		one, want := out.Template.Resources[fmt.Sprintf("R%d", i)], "Delete"
		if i < len(stores) {
			want = "Retain"
		}
		if one.DeletionPolicy != want || one.DeletionPolicy == "Retain" && one.UpdateReplacePolicy != "Retain" || foreign.HoldsData(kind) != (want == "Retain") {
			t.Errorf("%s: %+v", kind, one)
		}
	}
}

// TestInPlaceAPI: an HTTP API with nothing but routes becomes that of the app, under the ids that it has; another stays.
func TestInPlaceAPI(t *testing.T) {
	t.Parallel()
	api := func(more string) string {
		return `{"Resources": {` + lambdas + `,
		"Http": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "http", "ProtocolType": "HTTP", "CorsConfiguration": {"AllowOrigins": ["*"]}}},
		"HttpStage": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": {"ApiId": {"Ref": "Http"}, "StageName": "$default", "AutoDeploy": true}},
		"HelloIntegration": {"Type": "AWS::ApiGatewayV2::Integration", "Properties": {"ApiId": {"Ref": "Http"}, "IntegrationType": "AWS_PROXY", "IntegrationUri": {"Fn::GetAtt": ["Hello", "Arn"]}, "PayloadFormatVersion": "2.0"}},
		"One": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {"ApiId": {"Ref": "Http"}, "RouteKey": "GET /a/{id}", "Target": {"Fn::Sub": "integrations/${HelloIntegration}"}}},
		"All": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {"ApiId": {"Ref": "Http"}, "RouteKey": "$default", "Target": {"Fn::Sub": "integrations/${HelloIntegration}"}}},
		"HttpPermission": {"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": {"Ref": "Hello"}, "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com", "SourceArn": {"Fn::Sub": "arn:aws:execute-api:us-east-1:123456789012:${Http}/*"}}},
		"HelloUrl": {"Type": "AWS::Lambda::Url", "Properties": {"TargetFunctionArn": {"Ref": "Work"}, "AuthType": "AWS_IAM"}}` + more + `}}`
	}
	s, app := theirs(t, api(""))
	placed, out := inPlace(t, s, app)
	r := out.Template.Resources
	if _, there := r["All"]; there || r["Http"].Properties["CorsConfiguration"] == nil || r["HttpStage"].Type == "" || !slices.Equal(r["One"].DependsOn, []string{"HelloApiPermission"}) {
		t.Errorf("%s", text(t, r))
	}
	apis := 0
	for _, one := range r {
		if one.Type == "AWS::ApiGatewayV2::Api" || one.Type == "AWS::ApiGatewayV2::Stage" {
			apis++
		}
	}
	if apis != 2 || strings.Contains(text(t, r), `"RouteKey":"ANY /work`) {
		t.Errorf("%d APIs and stages: %s", apis, text(t, r))
	}
	says(t, placed.App.Manifest, `"GET /a/{id}": hello`, `"/": hello`, "url: {auth: iam, stream: false}", "Api: Http")
	readAgain(t, placed)
	lint(t, out.Template)

	s, app = theirs(t, api(`, "RestApi": {"Type": "AWS::SNS::Topic"}`)) // where aloft's would be, were it a REST API
	placed, out = inPlace(t, s, app)
	says(t, placed.App.Manifest, "RestApi: AloftRestApi")
	if out.Template.Resources["RestApi"].Type != "AWS::SNS::Topic" {
		t.Errorf("%s", text(t, out.Template.Resources))
	}

	s, app = theirs(t, api(`, "Guard": {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": {"ApiId": {"Ref": "Http"}, "Name": "a", "AuthorizerType": "JWT", "IdentitySource": ["$request.header.Authorization"], "JwtConfiguration": {"Issuer": "https://example.com", "Audience": ["a"]}}}`))
	placed, out = inPlace(t, s, app)
	for _, id := range []string{"Http", "HttpStage", "One", "All", "HelloIntegration", "HttpPermission", "Guard"} {
		if out.Template.Resources[id].Type != s.Template.Resources[id].Type {
			t.Errorf("%s is not as it was", id)
		}
	}
	if !strings.Contains(strings.Join(placed.Notes, "\n"), "no words for Guard") || text(t, out.Template.Outputs["URL"].Value) != `{"Fn::GetAtt":["Http","ApiEndpoint"]}` {
		t.Errorf("%q %s", placed.Notes, text(t, out.Template.Outputs))
	}
	lint(t, out.Template)
}

// readAgain has the manifest read as that of an app is: it says the release that was rendered.
func readAgain(t *testing.T, placed foreign.Placed) {
	t.Helper()
	if strings.Contains(string(placed.App.Manifest), "hunter2") {
		t.Errorf("a secret is in\n%s", placed.App.Manifest)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, manifest.AloftFile), placed.App.Manifest, 0o600); err != nil {
		t.Fatal(err)
	}
	m, _, err := manifest.Load(os.DirFS(dir))
	if err != nil {
		t.Fatalf("%v\n%s", err, placed.App.Manifest)
	}
	said, err := m.Stage("production").OnAWS(aloft.AWS{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range placed.Release.Functions {
		one := m.Stage("production").Functions[f.Name]
		if one.Handler != f.Handler || len(one.Events) != len(f.EventSources) || one.Lambda == nil || one.Lambda.Role != f.Lambda.Role {
			t.Errorf("aloft.yml says of %s %+v\nnot %+v", f.Name, one, f)
		}
	}
	want := placed.Release.AWS
	if said.Stack != want.Stack || !reflect.DeepEqual(said.IDs, want.IDs) || text(t, said.CloudFormation) != text(t, want.CloudFormation) {
		t.Errorf("aloft.yml says %s\nnot %s", text(t, said), text(t, want))
	}
}

// using is a stack with a parameter that says nothing of a secret, and a database that uses it.
func using(property string) string {
	return `{"Parameters": {"DbPw": {"Type": "String", "Default": "hunter2"}}, "Mappings": {"Pins": {"a": {"b": "hunter2"}}}, "Conditions": {"Large": {"Fn::Equals": ["a", "a"]}},
		"Resources": {` + lambdas + `, "Db": {"Type": "AWS::RDS::DBInstance", "Properties": {` + property + `}}}}`
}

// TestNoSecrets: what only has a name like that of a secret, or says where one is, is no reason to refuse.
func TestNoSecrets(t *testing.T) {
	t.Parallel()
	s, app := theirs(t, `{"Parameters": {"Plain": {"Type": "String", "Default": "kept-plain"}, "Stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/kept/name"}},
	"Resources": {`+lambdas+`,
		"Made": {"Type": "Custom::Thing", "Properties": {"ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:kept-maker"}},
		"Other": {"Type": "AWS::CloudFormation::CustomResource", "Properties": {"ServiceToken": {"Fn::Sub": "arn:aws:lambda:${AWS::Region}:123456789012:function:maker"}, "Name": {"Ref": "Plain"}}},
		"Pool": {"Type": "AWS::Cognito::UserPool", "Properties": {"Policies": {"PasswordPolicy": {"MinimumLength": 12}}}},
		"Client": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {"UserPoolId": {"Ref": "Pool"}, "AccessTokenValidity": 60, "TokenValidityUnits": {"AccessToken": "minutes"}}},
		"Drawn": {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": {"PasswordLength": 32, "SecretStringTemplate": "{\"username\": \"kept-admin\"}", "GenerateStringKey": "password"}}},
		"Db": {"Type": "AWS::RDS::DBInstance", "Properties": {"MasterUserPassword": {"Fn::Join": ["", ["{{resolve:secretsmanager:", {"Ref": "Drawn"}, ":SecretString:password}}"]]}}},
		"Db2": {"Type": "AWS::RDS::DBInstance", "Properties": {"MasterUserPassword": {"Fn::Sub": "{{resolve:secretsmanager:${Plain}:SecretString:password}}"}}},
		"Db3": {"Type": "AWS::RDS::DBInstance", "Properties": {"MasterUserPassword": {"Ref": "Stored"}}},
		"Flow": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": "{\"Parameters\": {\"TaskToken.$\": \"$$.Task.Token\", \"SecretArn\": \"arn:x\"}}"}},
		"Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"ApiKeySourceType": "HEADER", "Body": {"securityDefinitions": {"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}}}},
		"Method": {"Type": "AWS::ApiGateway::Method", "Properties": {"HttpMethod": "GET", "ApiKeyRequired": true, "RestApiId": {"Ref": "Api"}, "ResourceId": "r", "Integration": {"RequestTemplates": {"application/json": "{\"token\": \"$input.params('token')\"}"}}}},
		"Deployer": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [{"Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:kept/*"}}}]}}}
	}}`)
	placed, _ := inPlace(t, s, app)
	says(t, placed.App.Manifest, "kept-maker", "kept-admin", "kept-plain", "/kept/name", "resolve:secretsmanager", "$$.Task.Token", "HEADER", "repo:kept/*", "minutes")
}

// TestNotInPlace: what would put a secret into a file, or take something from the stack, is refused and says why.
func TestNotInPlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ template, says string }{
		"words":      {"no template", "its template is neither JSON nor YAML"},
		"newer":      {`{"Resources": {` + lambdas + `, "Q": {"Type": "AWS::SQS::Queue", "Mood": "good"}}}`, "unknown field"},
		"noecho":     {`{"Parameters": {"Pin": {"Type": "String", "NoEcho": true}}, "Resources": {` + lambdas + `, "Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Pin"}}}}}`, "the parameter Pin is secret"},
		"password":   {`{"Resources": {` + lambdas + `, "Db": {"Type": "AWS::RDS::DBInstance", "Properties": {"MasterUserPassword": "hunter2"}}}}`, "Db has a value that may be secret (MasterUserPassword)"},
		"parameter":  {`{"Resources": {` + lambdas + `, "P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "hunter2"}}}}`, "P has a value that may be secret"},
		"image":      {`{"Resources": {` + lambdas + `, "I": {"Type": "AWS::Lambda::Function", "Properties": {"PackageType": "Image", "Code": {"ImageUri": "x"}, "Role": "r", "Environment": {"Variables": {"A": "hunter2"}}}}}}`, "I has a value that may be secret (Environment)"},
		"leads":      {using(`"MasterUserPassword": {"Ref": "DbPw"}`), "the parameter DbPw may be secret"},
		"sub":        {using(`"MasterUserPassword": {"Fn::Sub": "${DbPw}"}`), "the parameter DbPw may be secret"},
		"sub own":    {using(`"Tags": [{"Fn::Sub": ["{\"password\": \"${x}\"}", {"x": {"Ref": "DbPw"}}]}]`), "the parameter DbPw may be secret"},
		"join":       {using(`"MasterUserPassword": {"Fn::Join": ["", [{"Ref": "DbPw"}, {"Ref": "AWS::Region"}]]}`), "the parameter DbPw may be secret"},
		"if":         {using(`"MasterUserPassword": {"Fn::If": ["Large", {"Ref": "DbPw"}, {"Ref": "AWS::NoValue"}]}`), "the parameter DbPw may be secret"},
		"mapping":    {using(`"MasterUserPassword": {"Fn::FindInMap": ["Pins", "a", "b"]}`), "Pins has a value that may be secret (a)"},
		"api key":    {`{"Resources": {` + lambdas + `, "K": {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Value": "hunter2"}}}}`, "K has a value that may be secret (Value)"},
		"psk":        {`{"Resources": {` + lambdas + `, "V": {"Type": "AWS::EC2::VPNConnection", "Properties": {"VpnTunnelOptionsSpecifications": [{"PreSharedKey": "hunter2"}]}}}}`, "V has a value that may be secret (VpnTunnel"},
		"input":      {`{"Resources": {` + lambdas + `, "E": {"Type": "AWS::Events::Rule", "Properties": {"Targets": [{"Id": "a", "Arn": "b", "Input": "{\"password\": \"hunter2\"}"}]}}}}`, "E has a value that may be secret (Targets)"},
		"flow":       {`{"Resources": {` + lambdas + `, "F": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": {"Fn::Sub": "{\"n\": ${Work}, \"apiKey\": \"hunter2\"}"}}}}}`, "F has a value that may be secret (DefinitionString)"},
		"flow leads": {using(`"Tags": [{"Fn::Join": ["", ["{\"password\":\"", {"Ref": "DbPw"}, "\"}"]]}]`), "the parameter DbPw may be secret"},
		"custom":     {`{"Resources": {` + lambdas + `, "C": {"Type": "Custom::Thing", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Work", "Arn"]}}}}}`, "C (Custom::Thing) is made by a function"},
		"version":    {`{"Resources": {` + lambdas + `, "V": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Work"}}}, "P": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::GetAtt": ["V", "Version"]}}}}}`, "P refers to a version"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, app := theirs(t, c.template)
			_, err := foreign.InPlace(s, app, "production", render)
			if aloft.ErrorCode(err) != aloft.Invalid || !strings.Contains(detail(err), c.says) || strings.Contains(detail(err), "hunter2") {
				t.Errorf("%v\n%s", err, detail(err))
			}
		})
	}
}

func detail(err error) string {
	if e, is := err.(*aloft.Error); is { //nolint:errorlint // as InPlace returns it
		return e.Detail
	}
	return ""
}

func says(t *testing.T, text []byte, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
}

func text(t *testing.T, value any) string {
	t.Helper()
	raw, err := json.Marshal(value)
	var plain any
	if err == nil {
		err = json.Unmarshal(raw, &plain)
	}
	if err == nil {
		raw, err = json.Marshal(plain)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func generic(t *testing.T, resources map[string]cfn.Resource) map[string]string {
	t.Helper()
	all := map[string]string{}
	for id, one := range resources {
		all[id] = text(t, one)
	}
	return all
}

func lint(t *testing.T, template cfn.Template) {
	t.Helper()
	program, err := exec.LookPath("cfn-lint")
	if err != nil {
		t.Skip("cfn-lint is not installed (pip install cfn-lint)")
	}
	file := filepath.Join(t.TempDir(), "template.json")
	raw, err := template.JSON()
	if err == nil {
		err = os.WriteFile(file, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if text, err := exec.CommandContext(t.Context(), program, "--regions", "us-east-1", "--non-zero-exit-code", "error", "--", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}
