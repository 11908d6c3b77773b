package aws

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/stack"
)

// Recovered is a release that a stack says it serves.
type Recovered struct {
	Ours    bool          // aloft made the stack, or its template; else nothing else is known
	ByHand  bool          // who deployed the template is not aloft: the release is v1
	Release aloft.Release // with the number and the artifact that serve now; its config is not sealed
	Config  aloft.Config
}

// Recover reads from a stack that aloft made what the records of the account said of the release that it serves. It returns
// NotFound if there is no such stack.
func (p *Platform) Recover(ctx context.Context, region, name string) (Recovered, error) {
	r := p.in(region)
	found, err := r.stackOf(ctx, name)
	if err != nil {
		return Recovered{}, err
	}
	if found == nil {
		return Recovered{}, aloft.Errorf(aloft.NotFound, "there is no stack %s in %s", name, region).WithHint("another --region or --profile? aws cloudformation list-stacks lists them")
	}
	if conditionOf(found.StackStatus) != whole {
		return Recovered{}, aloft.Errorf(aloft.Conflict, "the stack %s is %s", name, found.StackStatus).WithHint("import it when it has come to rest")
	}
	template, err := r.template(ctx, name)
	if err != nil {
		return Recovered{}, err
	}
	release := stack.Recorded(template)
	out := Recovered{Ours: true, ByHand: release.Version == 0, Release: release}
	switch {
	case release.AWS == nil || len(release.AWS.Regions) == 0 || !out.ByHand && StackName(release) != name:
		return Recovered{}, nil // somebody else's
	case out.ByHand:
		out.asDeployed(name, region)
	}
	if home := release.AWS.Regions[0]; home != region {
		return Recovered{}, aloft.Errorf(aloft.Invalid, "the home of %s is %s, not %s", release.StageRef, home, region).WithHint("aloft import stack %s --region %s", name, home)
	}
	return out, r.recover(ctx, template, &out)
}

// asDeployed makes an exported release the first of the stack that somebody made of it, under a name and in a region of his own.
func (out *Recovered) asDeployed(name, region string) {
	out.Release.Version = 1
	if StackName(out.Release) != name {
		out.Release.AWS.Stack = name
	}
	if len(out.Release.AWS.Regions) == 1 {
		out.Release.AWS.Regions = []string{region}
	}
}

// template is that of a stack, as it was given.
func (r *region) template(ctx context.Context, name string) (cfn.Template, error) {
	got, err := r.stacks.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &name, TemplateStage: types.TemplateStageOriginal})
	if err != nil {
		return cfn.Template{}, r.Session.explain(err, "read the template of "+name)
	}
	var template cfn.Template
	_ = json.Unmarshal([]byte(sdk.ToString(got.TemplateBody)), &template) // one in YAML is somebody else's: it has no metadata of ours
	return template, nil
}

// recover finds out what serves, and with which variables.
func (r *region) recover(ctx context.Context, template cfn.Template, out *Recovered) error {
	variables := map[string]aloft.Config{}
	for _, f := range lambdaFunctions(out.Release) {
		lambdaName := out.Release.NameOf(f)
		got, err := r.lambda.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &lambdaName, Qualifier: sdk.String(stack.Live)})
		if err != nil {
			return r.Session.explain(err, "look at "+lambdaName)
		}
		number, err := strconv.Atoi(strings.TrimPrefix(sdk.ToString(got.Configuration.Description), "v"))
		if err != nil && !out.ByHand {
			return aloft.Errorf(aloft.Conflict, "%s serves a version that aloft did not make (%q)", lambdaName, sdk.ToString(got.Configuration.Description)).
				WithHint("have the alias %s lead to one whose description is a release's, such as v12", stack.Live)
		}
		digest, err := base64.StdEncoding.DecodeString(sdk.ToString(got.Configuration.CodeSha256))
		if err != nil {
			return aloft.Errorf(aloft.Failed, "%s has a digest that is none: %w", lambdaName, err)
		}
		if number > out.Release.Version && !out.ByHand {
			out.Release.Version = number
		}
		out.Release.Artifact.Digest, out.Release.Artifact.Size = hex.EncodeToString(digest), got.Configuration.CodeSize
		env := map[string]string{}
		if got.Configuration.Environment != nil {
			env = got.Configuration.Environment.Variables
		}
		if variables[f.Name], err = r.variables(ctx, f, template, lambdaName, env); err != nil {
			return err
		}
	}
	out.Config = together(variables)
	return nil
}

// variables are those of a function that are config: the ones that the template has as parameters, or that are in a secret.
func (r *region) variables(ctx context.Context, f aloft.Function, template cfn.Template, lambdaName string, env map[string]string) (aloft.Config, error) {
	config := aloft.Config{}
	for _, one := range template.Resources {
		if one.Type != "AWS::Lambda::Function" || one.Properties["FunctionName"] != lambdaName {
			continue
		}
		environment, _ := one.Properties["Environment"].(map[string]any)
		all, _ := environment["Variables"].(map[string]any)
		for name, value := range all {
			ref, _ := value.(map[string]any)
			parameter, _ := ref["Ref"].(string)
			if template.Parameters[parameter].NoEcho {
				config[name] = env[name]
			}
		}
		secret, _ := all["ALOFT_CONFIG_SECRET"].(string)
		label, _ := all["ALOFT_CONFIG_LABEL"].(string)
		if secret == "" {
			continue
		}
		got, err := r.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &secret, VersionStage: &label})
		if err != nil {
			return nil, r.Session.explain(err, "read the secret "+secret)
		}
		var kept map[string]aloft.Config
		if err := json.Unmarshal([]byte(sdk.ToString(got.SecretString)), &kept); err != nil {
			return nil, aloft.Errorf(aloft.Failed, "the secret %s is none of aloft's: %w", secret, err)
		}
		maps.Copy(config, kept[f.Name])
	}
	return config, nil
}

// together is the config of a stage whose functions have these variables.
func together(variables map[string]aloft.Config) aloft.Config {
	config := aloft.Config{}
	functions := slices.Sorted(maps.Keys(variables))
	for _, function := range functions {
		for name, value := range variables[function] {
			everywhere := !slices.ContainsFunc(functions, func(other string) bool {
				v, has := variables[other][name]
				return !has || v != value
			})
			if everywhere {
				config[name] = value
			} else {
				config[aloft.VariableOf(function, name)] = value
			}
		}
	}
	return config
}

// Code opens the zip that a function of a release serves.
func (p *Platform) Code(ctx context.Context, region string, release aloft.Release) (io.ReadCloser, error) {
	all := lambdaFunctions(release)
	if len(all) == 0 {
		return nil, aloft.Errorf(aloft.NotFound, "%s has no function", release.StageRef)
	}
	name, r := release.NameOf(all[0]), p.in(region)
	got, err := r.lambda.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &name, Qualifier: sdk.String(stack.Live)})
	if err != nil {
		return nil, r.Session.explain(err, "look at "+name)
	}
	return p.download(ctx, sdk.ToString(got.Code.Location))
}

// download opens what is at an address that AWS gave.
func (p *Platform) download(ctx context.Context, url string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("download the code: %w", err)
	}
	client := *p.Client
	client.Timeout = 0 // a package may be large; ctx ends it
	answer, err := client.Do(request)
	if err != nil {
		return nil, aloft.Errorf(aloft.Unavailable, "download the code: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		_ = answer.Body.Close()
		return nil, aloft.Errorf(aloft.Failed, "download the code: AWS answered %s", answer.Status)
	}
	return answer.Body, nil
}
