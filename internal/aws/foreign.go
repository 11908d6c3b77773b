package aws

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/foreign"
)

// Foreign reads a stack that others made. The text is its template.
func (p *Platform) Foreign(ctx context.Context, region, name string) (s foreign.Stack, text []byte, err error) {
	r := p.in(region)
	s = foreign.Stack{Name: name, Region: region, Physical: map[string]foreign.Resource{}, Parameters: map[string]string{}}
	got, err := r.stacks.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &name, TemplateStage: types.TemplateStageProcessed})
	if err != nil {
		return s, nil, r.Session.explain(err, "read the template of "+name)
	}
	text = []byte(sdk.ToString(got.TemplateBody))
	if s.Template, s.Fault = foreign.Parse(text); s.Fault != nil {
		_ = json.Unmarshal(text, &s.Template) // of one in YAML only the functions are known
	}
	found, err := r.stackOf(ctx, name)
	if err != nil {
		return s, nil, err
	}
	for _, one := range found.Parameters {
		s.Parameters[sdk.ToString(one.ParameterKey)] = sdk.ToString(one.ParameterValue)
	}
	pages := cloudformation.NewListStackResourcesPaginator(r.stacks, &cloudformation.ListStackResourcesInput{StackName: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return s, nil, r.Session.explain(err, "list what the stack "+name+" has")
		}
		for _, one := range page.StackResourceSummaries {
			id, kind, physical := sdk.ToString(one.LogicalResourceId), sdk.ToString(one.ResourceType), sdk.ToString(one.PhysicalResourceId)
			s.Physical[id] = foreign.Resource{Type: kind, ID: physical}
			if kind != "AWS::Lambda::Function" {
				continue
			}
			f, err := r.foreignFunction(ctx, id, physical)
			if err != nil {
				return s, nil, err
			}
			s.Functions = append(s.Functions, f)
		}
	}
	return s, text, nil
}

// foreignFunction reads a function and what Lambda polls for it.
func (r *region) foreignFunction(ctx context.Context, logical, name string) (foreign.Function, error) {
	got, err := r.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
	if err != nil {
		return foreign.Function{}, r.Session.explain(err, "look at "+name)
	}
	f := foreign.Function{
		Logical: logical, Name: name, Handler: sdk.ToString(got.Handler), Runtime: string(got.Runtime), Role: sdk.ToString(got.Role),
		Image: got.PackageType == lambdatypes.PackageTypeImage, Memory: int(sdk.ToInt32(got.MemorySize)), Timeout: int(sdk.ToInt32(got.Timeout)),
		Architecture: aloft.X8664, Digest: sdk.ToString(got.CodeSha256), Variables: aloft.Config{},
	}
	if sum, err := base64.StdEncoding.DecodeString(f.Digest); err == nil {
		f.Digest = hex.EncodeToString(sum)
	}
	if len(got.Architectures) > 0 {
		f.Architecture = string(got.Architectures[0])
	}
	for _, layer := range got.Layers {
		f.Layers = append(f.Layers, sdk.ToString(layer.Arn))
	}
	if got.Environment != nil {
		f.Variables = got.Environment.Variables
	}
	mappings := lambda.NewListEventSourceMappingsPaginator(r.lambda, &lambda.ListEventSourceMappingsInput{FunctionName: &name})
	for mappings.HasMorePages() {
		page, err := mappings.NextPage(ctx)
		if err != nil {
			return f, r.Session.explain(err, "list the event sources of "+name)
		}
		for _, one := range page.EventSourceMappings {
			f.Mappings = append(f.Mappings, sdk.ToString(one.EventSourceArn))
		}
	}
	return f, nil
}

// ForeignCode opens the zip of a function.
func (p *Platform) ForeignCode(ctx context.Context, region, name string) (io.ReadCloser, error) {
	r := p.in(region)
	got, err := r.lambda.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &name})
	if err != nil {
		return nil, r.Session.explain(err, "look at "+name)
	}
	return p.download(ctx, sdk.ToString(got.Code.Location))
}
