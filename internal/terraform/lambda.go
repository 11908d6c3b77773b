package terraform

import (
	"fmt"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// directBytes is the largest zip that Lambda takes in a request; a larger one goes by a bucket.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const directBytes = 50 << 20

func lambdaKinds() map[string]kind {
	return map[string]kind{
		"AWS::Lambda::Function":          functionKind(),
		"AWS::Lambda::Version":           {name: "aws_lambda_function", whole: wholeVersion},
		"AWS::Lambda::Alias":             aliasKind(),
		"AWS::Lambda::LayerVersion":      layerKind(),
		"AWS::Lambda::Permission":        permissionKind(),
		"AWS::Lambda::Url":               urlKind(),
		"AWS::Lambda::EventInvokeConfig": invokeKind(),
	}
}

func functionKind() kind {
	return kind{
		name: "aws_lambda_function", attributes: map[string]string{"": "function_name", "Arn": "arn"}, more: moreOfFunction,
		shape: shape{
			"FunctionName": as("function_name"), "Description": as("description"), "PackageType": as("package_type"), "Code": code,
			"Runtime": as("runtime"), "Handler": as("handler"), "Architectures": as("architectures"), "MemorySize": as("memory_size"),
			"Timeout": as("timeout"), "Role": as("role"), "Layers": as("layers"), "KmsKeyArn": as("kms_key_arn"), "Tags": tags(),
			"ReservedConcurrentExecutions": as("reserved_concurrent_executions"), "RecursiveLoop": none,
			"Environment":       block("environment", shape{"Variables": as("variables")}),
			"EphemeralStorage":  block("ephemeral_storage", shape{"Size": as("size")}),
			"SnapStart":         block("snap_start", shape{"ApplyOn": as("apply_on")}),
			"TracingConfig":     block("tracing_config", shape{"Mode": as("mode")}),
			"DeadLetterConfig":  block("dead_letter_config", shape{"TargetArn": as("target_arn")}),
			"FileSystemConfigs": blocks("file_system_config", shape{"Arn": as("arn"), "LocalMountPath": as("local_mount_path")}),
			"VpcConfig": block("vpc_config", shape{
				"SubnetIds": as("subnet_ids"), "SecurityGroupIds": as("security_group_ids"), "Ipv6AllowedForDualStack": as("ipv6_allowed_for_dual_stack"),
			}),
			"LoggingConfig": logging,
		},
	}
}

// logging is where a function logs. CloudFormation's default of the format is said.
func logging(t *translation, to *body, v any) error {
	inner := to.block("logging_config")
	if err := t.fill(inner, shape{
		"LogGroup": as("log_group"), "LogFormat": as("log_format"), "ApplicationLogLevel": as("application_log_level"), "SystemLogLevel": as("system_log_level"),
	}, v); err != nil {
		return err
	}
	if !inner.has("log_format") {
		inner.set("log_format", "Text")
	}
	return nil
}

// code is a zip: beside the configuration, or in a bucket.
func code(t *translation, to *body, v any) error {
	object, _ := v.(map[string]any)
	key, _ := object["S3Key"].(string)
	file, here := t.in.Files[key]
	if !here {
		return t.fill(to, shape{"S3Bucket": as("s3_bucket"), "S3Key": as("s3_key"), "S3ObjectVersion": as("s3_object_version"), "ImageUri": as("image_uri")}, v)
	}
	at := mixed{raw("path.module"), "/" + file.Path}
	hash := func(function string) raw { return raw(function + "(" + at.text() + ")") }
	if file.Size <= directBytes {
		to.set("filename", at)
	} else {
		bucket := t.shared("aws_s3_bucket", "code", func(b *body) {
			b.set("bucket_prefix", cfn.Shorten(t.in.Stack, 36)+"-")
			b.set("force_destroy", true)
		})
		zip := t.shared("aws_s3_object", "code_"+cfn.Digest(key), func(b *body) {
			b.set("bucket", raw(bucket+".bucket"))
			b.set("key", key)
			b.set("source", at)
			b.set("source_hash", hash("filemd5"))
		})
		to.set("s3_bucket", raw(zip+".bucket"))
		to.set("s3_key", raw(zip+".key"))
	}
	to.set("source_code_hash", hash("filebase64sha256"))
	return nil
}

// shared is a resource that the template does not have and several need. It returns its address.
func (t *translation) shared(kind, name string, fill func(*body)) string {
	for _, one := range t.made {
		if one.kind == kind && one.name == name {
			return one.address()
		}
	}
	s := t.add(kind, name)
	fill(s.body)
	return s.address()
}

// moreOfFunction has versions published, where the template has a version, and whether events may run in circles.
func moreOfFunction(t *translation, id string, r cfn.Resource, main *section) error {
	for _, other := range t.template.Resources {
		of, _ := other.Properties["FunctionName"].(map[string]any)
		if other.Type == "AWS::Lambda::Version" && of["Ref"] == id && !main.body.has("publish") {
			main.body.set("publish", true)
		}
	}
	if r.Properties["FunctionName"] == nil {
		main.body.set("function_name", t.in.Stack+"-"+id)
	}
	if loops := r.Properties["RecursiveLoop"]; loops != nil {
		s := t.add("aws_lambda_function_recursion_config", main.name)
		s.body.set("function_name", raw(main.address()+".function_name"))
		s.body.set("recursive_loop", loops)
	}
	return nil
}

// wholeVersion is nothing of its own: the function publishes.
func wholeVersion(t *translation, id string, _ cfn.Resource) error {
	_, err := t.version(id, "Version")
	return err
}

func aliasKind() kind {
	return kind{
		name: "aws_lambda_alias", attributes: map[string]string{"": "arn", "AliasArn": "arn"},
		shape: shape{
			"FunctionName": as("function_name"), "FunctionVersion": as("function_version"), "Name": as("name"), "Description": as("description"),
			"ProvisionedConcurrencyConfig": none,
		},
		more: func(t *translation, _ string, r cfn.Resource, main *section) error {
			kept, ok := r.Properties["ProvisionedConcurrencyConfig"].(map[string]any)
			if !ok {
				return nil
			}
			s := t.add("aws_lambda_provisioned_concurrency_config", main.name)
			s.body.set("function_name", raw(main.address()+".function_name"))
			s.body.set("qualifier", raw(main.address()+".name"))
			return t.fill(s.body, shape{"ProvisionedConcurrentExecutions": as("provisioned_concurrent_executions")}, kept)
		},
	}
}

func layerKind() kind {
	return kind{
		name: "aws_lambda_layer_version", attributes: map[string]string{"": "arn", "LayerVersionArn": "arn"},
		shape: shape{
			"LayerName": as("layer_name"), "Description": as("description"), "Content": code, "LicenseInfo": as("license_info"),
			"CompatibleArchitectures": as("compatible_architectures"), "CompatibleRuntimes": as("compatible_runtimes"),
		},
	}
}

// functionAndQualifier are the arguments for the one property of CloudFormation that has both.
func functionAndQualifier(t *translation, to *body, v any) error {
	name, qualifier, err := t.function(v)
	to.set("function_name", name)
	to.set("qualifier", qualifier)
	return err
}

func permissionKind() kind {
	return kind{
		name: "aws_lambda_permission", attributes: map[string]string{},
		shape: shape{
			"FunctionName": functionAndQualifier, "Action": as("action"), "Principal": as("principal"), "SourceArn": as("source_arn"),
			"SourceAccount": as("source_account"), "PrincipalOrgID": as("principal_org_id"), "EventSourceToken": as("event_source_token"),
			"FunctionUrlAuthType": as("function_url_auth_type"),
		},
		more: func(_ *translation, id string, _ cfn.Resource, main *section) error {
			main.body.set("statement_id", id)
			return nil
		},
	}
}

func urlKind() kind {
	return kind{
		name: "aws_lambda_function_url", attributes: map[string]string{"": "function_arn", "FunctionArn": "function_arn", "FunctionUrl": "function_url"},
		shape: shape{
			"TargetFunctionArn": functionAndQualifier, "Qualifier": as("qualifier"), "AuthType": as("authorization_type"), "InvokeMode": as("invoke_mode"),
			"Cors": block("cors", shape{
				"AllowCredentials": as("allow_credentials"), "AllowHeaders": as("allow_headers"), "AllowMethods": as("allow_methods"),
				"AllowOrigins": as("allow_origins"), "ExposeHeaders": as("expose_headers"), "MaxAge": as("max_age"),
			}),
		},
	}
}

func invokeKind() kind {
	target := func(name string) field { return block(name, shape{"Destination": as("destination")}) }
	return kind{
		name: "aws_lambda_function_event_invoke_config", attributes: map[string]string{},
		shape: shape{
			"FunctionName": as("function_name"), "Qualifier": as("qualifier"), "MaximumEventAgeInSeconds": as("maximum_event_age_in_seconds"),
			"MaximumRetryAttempts": as("maximum_retry_attempts"),
			"DestinationConfig":    block("destination_config", shape{"OnSuccess": target("on_success"), "OnFailure": target("on_failure")}),
		},
	}
}

// rolePolicies are the policies of a role, each a resource.
func rolePolicies(t *translation, id string, r cfn.Resource, main *section) error {
	if r.Properties["RoleName"] == nil {
		const most = 38 // of a prefix of a role's name
		main.body.set("name_prefix", t.generated(id, most))
	}
	policies, _ := r.Properties["Policies"].([]any)
	for i, one := range policies {
		s := t.add("aws_iam_role_policy", numbered(main.name, i, len(policies)))
		s.policy = true
		s.body.set("role", raw(main.address()+".id"))
		if err := t.fill(s.body, shape{"PolicyName": as("name"), "PolicyDocument": text("policy")}, one); err != nil {
			return err
		}
	}
	managed, _ := r.Properties["ManagedPolicyArns"].([]any)
	for i, one := range managed {
		arn, err := t.value(one)
		if err != nil {
			return err
		}
		s := t.add("aws_iam_role_policy_attachment", numbered(main.name, i, len(managed)))
		s.policy = true
		s.body.set("role", raw(main.address()+".name"))
		s.body.set("policy_arn", arn)
	}
	return nil
}

// numbered is a name of one of several.
func numbered(name string, i, n int) string {
	if n == 1 {
		return name
	}
	return fmt.Sprintf("%s_%d", name, i+1)
}

// secretValue is what is in a secret: what Secrets Manager makes up, once.
func secretValue(t *translation, id string, r cfn.Resource, main *section) error {
	if r.Properties["Name"] == nil {
		main.body.set("name_prefix", t.generated(id, 200))
	}
	made, generate := r.Properties["GenerateSecretString"].(map[string]any)
	if r.Properties["SecretString"] != nil {
		return aloft.Errorf(aloft.Invalid, "%s has a SecretString, which would be in Terraform's state", id).WithHint("have it generated: GenerateSecretString")
	}
	if !generate {
		return nil
	}
	look := t.add("aws_secretsmanager_random_password", main.name)
	look.data = true
	if err := t.fill(look.body, shape{
		"PasswordLength": as("password_length"), "ExcludePunctuation": as("exclude_punctuation"), "ExcludeCharacters": as("exclude_characters"),
		"ExcludeLowercase": as("exclude_lowercase"), "ExcludeUppercase": as("exclude_uppercase"), "ExcludeNumbers": as("exclude_numbers"),
		"IncludeSpace": as("include_space"), "RequireEachIncludedType": as("require_each_included_type"), "SecretStringTemplate": none, "GenerateStringKey": none,
	}, made); err != nil {
		return err
	}
	value := raw(look.address() + ".random_password")
	if template, ok := made["SecretStringTemplate"].(string); ok {
		key, _ := made["GenerateStringKey"].(string)
		value = raw("jsonencode(merge(jsondecode(" + quoted(template) + "), { " + key + " = " + string(value) + " }))")
	}
	s := t.add("aws_secretsmanager_secret_version", main.name)
	s.body.set("secret_id", raw(main.address()+".id"))
	s.body.set("secret_string", value)
	s.body.block("lifecycle").set("ignore_changes", []any{raw("secret_string")}) // each look makes up another one
	return nil
}
