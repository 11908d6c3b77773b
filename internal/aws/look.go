package aws

import (
	"context"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/stack"
)

// In is the configuration for a region.
func (s *Session) In(region string) sdk.Config {
	c := s.Config.Copy()
	c.Region = region
	return c
}

// URL is where a stage answers besides its domains: the address that its stack in the home region has. It is "" for a stage
// without a stack.
func (p *Platform) URL(ctx context.Context, ref aloft.StageRef) (string, error) {
	release, err := p.current(ctx, ref)
	if err != nil || release.Version == 0 {
		return "", ignoreMissing(err)
	}
	found, err := p.in(release.AWS.Regions[0]).stackOf(ctx, StackName(release))
	return outputOf(found, stack.OutputURL), err
}

// EventSources lists the event sources of the release that a stage serves. AWS runs them; how often they fired it counts in
// CloudWatch. It returns NotFound if there is no such stage.
func (p *Platform) EventSources(ctx context.Context, ref aloft.StageRef) ([]aloft.EventSource, error) {
	release, err := p.current(ctx, ref)
	if err != nil {
		return nil, err
	}
	all := []aloft.EventSource{}
	declared := map[string]bool{}
	for _, f := range release.Functions {
		for _, source := range f.EventSources {
			declared[f.Name+" "+source] = true
		}
	}
	for _, f := range lambdaFunctions(release) {
		for _, source := range f.EventSources {
			all = append(all, aloft.EventSource{Function: f.Name, Source: source, Operator: !declared[f.Name+" "+source], Running: true})
		}
	}
	return all, nil
}

// Resources lists the stores and services of the release that a stage serves. It returns NotFound if there is no such stage.
func (p *Platform) Resources(ctx context.Context, ref aloft.StageRef) ([]aloft.ResourceStatus, error) {
	release, err := p.current(ctx, ref)
	if err != nil {
		return nil, err
	}
	all := []aloft.ResourceStatus{}
	if release.Version == 0 {
		return all, nil
	}
	home := release.AWS.Regions[0]
	stores, err := p.Stores(stack.Input{Release: release, Region: home})
	if err != nil {
		return nil, err
	}
	known := strings.NewReplacer("${"+cfn.Account+"}", p.Session.Account, "${"+cfn.Region+"}", home, "${"+cfn.Partition+"}", partition(home))
	for i, one := range release.Resources {
		status := aloft.ResourceStatus{
			Resource: one.Name, Type: one.Type, Name: known.Replace(stores[i].Name), ARN: known.Replace(stores[i].ARN), Variable: stores[i].Variable,
			Counts: []aloft.ResourceCount{},
		}
		if strings.Contains(status.ARN, "${") { // an attribute
			status.ARN = p.arnOf(home, one.Type, status.Name)
		}
		all = append(all, status)
	}
	return all, nil
}

// arnOf is the ARN of something by its name, "" for types whose names do not tell it.
func (p *Platform) arnOf(region, kind, name string) string {
	at := map[string]string{aloft.Queue: "sqs", aloft.Topic: "sns", aloft.Stream: "kinesis", aloft.Table: "dynamodb"}[kind]
	switch kind {
	case aloft.Stream:
		name = "stream/" + name
	case aloft.Table:
		name = "table/" + name
	}
	if at == "" {
		return ""
	}
	return "arn:" + partition(region) + ":" + at + ":" + region + ":" + p.Session.Account + ":" + name
}

// FunctionURLs are the addresses that functions of a release that serves have of their own, by function.
func (p *Platform) FunctionURLs(ctx context.Context, release aloft.Release) (map[string]string, error) {
	has := func(f aloft.Function) bool { return f.URL != nil }
	if release.AWS == nil || !slices.ContainsFunc(release.Functions, has) {
		return nil, nil
	}
	found, err := p.in(release.AWS.Regions[0]).stackOf(ctx, StackName(release))
	return functionURLs(release, found), err
}

// functionURLs are the addresses of functions of their own, as the stack of a region says them, by function.
func functionURLs(release aloft.Release, found *types.Stack) map[string]string {
	urls := map[string]string{}
	outputs, err := stack.FunctionURLOutputs(release)
	if err != nil { // then there is no such stack
		return urls
	}
	for name, output := range outputs {
		if url := outputOf(found, output); url != "" {
			urls[name] = url
		}
	}
	return urls
}
