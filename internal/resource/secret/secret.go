// Package secret is the kind of resources that are a text which nobody chose and nobody sees: a secret of Secrets Manager with
// a generated value. It is a kind of stacks only.
package secret

import (
	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/resource"
)

const lengthOption = "length" // of the value, in letters and digits

const defaultLength, leastLength, mostLength = 48, 16, 4096

// Cloud is the kind in a stack.
type Cloud struct{}

var _ resource.Cloud = Cloud{}

// Kind implements resource.Cloud.
func (Cloud) Kind() string { return aloft.Secret }

// Check implements resource.Cloud.
func (Cloud) Check(options map[string]string) error {
	if err := resource.Options(aloft.Secret, options, lengthOption, resource.VariableOption); err != nil {
		return err
	}
	if _, err := resource.Number(options, lengthOption, defaultLength, leastLength, mostLength); err != nil {
		return err
	}
	return resource.CheckVariable(options)
}

// Render implements resource.Cloud. CloudFormation names the secret: a name is taken for a month after its secret is deleted.
func (Cloud) Render(in resource.Rendering) (resource.Rendered, error) {
	if err := (Cloud{}).Check(in.Resource.Options); err != nil {
		return resource.Rendered{}, err
	}
	length, err := resource.Number(in.Resource.Options, lengthOption, defaultLength, leastLength, mostLength)
	if err != nil {
		return resource.Rendered{}, err
	}
	properties := map[string]any{
		"Description":          "secret " + in.Resource.Name + " of " + in.Stage.Label(),
		"GenerateSecretString": map[string]any{"PasswordLength": length, "ExcludePunctuation": true},
	}
	if in.KMSKey != "" {
		properties["KmsKeyId"] = in.KMSKey
	}
	arn := cfn.Ref(in.ID)
	return resource.Rendered{
		Resources: map[string]cfn.Resource{in.ID: in.Store("AWS::SecretsManager::Secret", properties)},
		Env:       map[string]any{in.Variable(): arn},
		ARN:       arn,
		Access: in.Access(map[string][]cfn.Statement{
			aloft.EdgeRead: {{Action: []string{"secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"}, Resource: arn}},
		}),
		Single: true,
	}, nil
}
