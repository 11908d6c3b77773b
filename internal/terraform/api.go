package terraform

import (
	"github.com/aloft-run/aloft/internal/cfn"
)

func apiKinds() map[string]kind {
	routeSettings := shape{
		"ThrottlingRateLimit": as("throttling_rate_limit"), "ThrottlingBurstLimit": as("throttling_burst_limit"), "LoggingLevel": as("logging_level"),
		"DataTraceEnabled": as("data_trace_enabled"), "DetailedMetricsEnabled": as("detailed_metrics_enabled"),
	}
	return map[string]kind{
		"AWS::ApiGatewayV2::Api": {
			name: "aws_apigatewayv2_api", attributes: map[string]string{"": "id", "ApiId": "id", "ApiEndpoint": "api_endpoint"},
			shape: shape{
				"Name": as("name"), "Description": as("description"), "ProtocolType": as("protocol_type"), "Version": as("version"), "Tags": as("tags"),
				"DisableExecuteApiEndpoint": as("disable_execute_api_endpoint"), "IpAddressType": as("ip_address_type"),
				"CorsConfiguration": block("cors_configuration", shape{
					"AllowCredentials": as("allow_credentials"), "AllowHeaders": as("allow_headers"), "AllowMethods": as("allow_methods"),
					"AllowOrigins": as("allow_origins"), "ExposeHeaders": as("expose_headers"), "MaxAge": as("max_age"),
				}),
			},
		},
		"AWS::ApiGatewayV2::Integration": {
			name: "aws_apigatewayv2_integration", attributes: map[string]string{"": "id"},
			shape: shape{
				"ApiId": as("api_id"), "IntegrationType": as("integration_type"), "IntegrationUri": as("integration_uri"), "Description": as("description"),
				"IntegrationMethod": as("integration_method"), "PayloadFormatVersion": as("payload_format_version"), "TimeoutInMillis": as("timeout_milliseconds"),
			},
		},
		"AWS::ApiGatewayV2::Route": {
			name: "aws_apigatewayv2_route", attributes: map[string]string{"": "id"},
			shape: shape{
				"ApiId": as("api_id"), "RouteKey": as("route_key"), "Target": as("target"), "AuthorizationType": as("authorization_type"),
				"AuthorizerId": as("authorizer_id"), "AuthorizationScopes": as("authorization_scopes"), "OperationName": as("operation_name"),
			},
		},
		"AWS::ApiGatewayV2::Stage": {
			name: "aws_apigatewayv2_stage", attributes: map[string]string{"": "id"},
			shape: shape{
				"ApiId": as("api_id"), "StageName": as("name"), "AutoDeploy": as("auto_deploy"), "Description": as("description"), "Tags": as("tags"),
				"AccessLogSettings":    block("access_log_settings", shape{"DestinationArn": groupARN("destination_arn"), "Format": as("format")}),
				"DefaultRouteSettings": block("default_route_settings", routeSettings),
			},
		},
		"AWS::ApiGatewayV2::DomainName": {
			name: "aws_apigatewayv2_domain_name",
			attributes: map[string]string{
				"": "domain_name", "RegionalDomainName": "domain_name_configuration[0].target_domain_name", "RegionalHostedZoneId": "domain_name_configuration[0].hosted_zone_id",
			},
			shape: shape{
				"DomainName": as("domain_name"), "Tags": as("tags"),
				"DomainNameConfigurations": blocks("domain_name_configuration", shape{
					"CertificateArn": as("certificate_arn"), "EndpointType": as("endpoint_type"), "SecurityPolicy": as("security_policy"), "IpAddressType": as("ip_address_type"),
				}),
			},
		},
		"AWS::ApiGatewayV2::ApiMapping": {
			name: "aws_apigatewayv2_api_mapping", attributes: map[string]string{"": "id"},
			shape: shape{"ApiId": as("api_id"), "DomainName": as("domain_name"), "Stage": as("stage"), "ApiMappingKey": as("api_mapping_key")},
		},
	}
}

func restKinds() map[string]kind {
	return map[string]kind{
		"AWS::ApiGateway::RestApi": {
			name: "aws_api_gateway_rest_api", attributes: map[string]string{"": "id", "RestApiId": "id", "RootResourceId": "root_resource_id"},
			shape: shape{
				"Name": as("name"), "Description": as("description"), "BinaryMediaTypes": as("binary_media_types"), "Tags": tags(),
				"DisableExecuteApiEndpoint": as("disable_execute_api_endpoint"), "MinimumCompressionSize": as("minimum_compression_size"),
				"EndpointConfiguration": block("endpoint_configuration", shape{"Types": as("types")}),
			},
		},
		"AWS::ApiGateway::Resource": {
			name: "aws_api_gateway_resource", attributes: map[string]string{"": "id", "ResourceId": "id"},
			shape: shape{"RestApiId": as("rest_api_id"), "ParentId": as("parent_id"), "PathPart": as("path_part")},
		},
		"AWS::ApiGateway::Method": {
			name: "aws_api_gateway_method", attributes: map[string]string{}, more: integration,
			shape: shape{
				"RestApiId": as("rest_api_id"), "ResourceId": as("resource_id"), "HttpMethod": as("http_method"), "AuthorizationType": as("authorization"),
				"AuthorizerId": as("authorizer_id"), "ApiKeyRequired": as("api_key_required"), "Integration": none,
			},
		},
		"AWS::ApiGateway::Deployment": {
			name: "aws_api_gateway_deployment", attributes: map[string]string{"": "id", "DeploymentId": "id"},
			shape: shape{"RestApiId": as("rest_api_id"), "Description": as("description")},
			more: func(_ *translation, id string, _ cfn.Resource, main *section) error {
				main.body.set("triggers", map[string]any{"routes": id}) // whose name has a digest of them
				main.body.block("lifecycle").set("create_before_destroy", true)
				return nil
			},
		},
		"AWS::ApiGateway::Stage": {
			name: "aws_api_gateway_stage", attributes: map[string]string{"": "stage_name"}, more: methodSettings,
			shape: shape{
				"RestApiId": as("rest_api_id"), "DeploymentId": as("deployment_id"), "StageName": as("stage_name"), "TracingEnabled": as("xray_tracing_enabled"),
				"Description": as("description"), "Variables": as("variables"), "Tags": tags(), "MethodSettings": none,
			},
		},
		"AWS::WAFv2::WebACL":            firewallKind(),
		"AWS::WAFv2::WebACLAssociation": {name: "aws_wafv2_web_acl_association", attributes: map[string]string{}, shape: shape{"ResourceArn": as("resource_arn"), "WebACLArn": as("web_acl_arn")}},
	}
}

// integration is where a method of a REST API leads.
func integration(t *translation, _ string, r cfn.Resource, main *section) error {
	leads, ok := r.Properties["Integration"].(map[string]any)
	if !ok {
		return nil
	}
	s := t.add("aws_api_gateway_integration", main.name)
	for _, name := range []string{"rest_api_id", "resource_id", "http_method"} {
		s.body.set(name, raw(main.address()+"."+name))
	}
	return t.fill(s.body, shape{
		"Type": as("type"), "IntegrationHttpMethod": as("integration_http_method"), "Uri": as("uri"), "TimeoutInMillis": as("timeout_milliseconds"),
		"Credentials": as("credentials"), "PassthroughBehavior": as("passthrough_behavior"), "ContentHandling": as("content_handling"),
	}, leads)
}

// methodSettings are those of a stage of a REST API.
func methodSettings(t *translation, _ string, r cfn.Resource, main *section) error {
	all, _ := r.Properties["MethodSettings"].([]any)
	for i, one := range all {
		settings, _ := one.(map[string]any)
		if settings["ResourcePath"] != "/*" || settings["HttpMethod"] != "*" {
			return t.refuse("settings of single methods")
		}
		s := t.add("aws_api_gateway_method_settings", numbered(main.name, i, len(all)))
		s.body.set("rest_api_id", raw(main.address()+".rest_api_id"))
		s.body.set("stage_name", raw(main.address()+".stage_name"))
		s.body.set("method_path", "*/*")
		if err := t.fill(s.body.block("settings"), shape{
			"ResourcePath": none, "HttpMethod": none, "ThrottlingRateLimit": as("throttling_rate_limit"), "ThrottlingBurstLimit": as("throttling_burst_limit"),
			"LoggingLevel": as("logging_level"), "MetricsEnabled": as("metrics_enabled"), "DataTraceEnabled": as("data_trace_enabled"),
		}, one); err != nil {
			return err
		}
	}
	return nil
}

func firewallKind() kind {
	visible := block("visibility_config", shape{
		"CloudWatchMetricsEnabled": as("cloudwatch_metrics_enabled"), "SampledRequestsEnabled": as("sampled_requests_enabled"), "MetricName": as("metric_name"),
	})
	action := shape{"Allow": block("allow", shape{}), "Block": block("block", shape{}), "Count": block("count", shape{})}
	return kind{
		name: "aws_wafv2_web_acl", attributes: map[string]string{"": "id", "Arn": "arn", "Id": "id"},
		shape: shape{
			"Name": as("name"), "Scope": as("scope"), "Description": as("description"), "DefaultAction": block("default_action", action), "VisibilityConfig": visible, "Tags": tags(),
			"Rules": blocks("rule", shape{
				"Name": as("name"), "Priority": as("priority"), "Action": block("action", action), "VisibilityConfig": visible,
				"Statement": block("statement", shape{
					"RateBasedStatement": block("rate_based_statement", shape{"AggregateKeyType": as("aggregate_key_type"), "Limit": as("limit")}),
				}),
			}),
		},
	}
}
