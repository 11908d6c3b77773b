package aws

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/aloft-run/aloft"
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
	found, err := p.in(release.AWS.Regions[0]).stackOf(ctx, StackName(ref))
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
	for _, one := range release.Resources {
		all = append(all, aloft.ResourceStatus{Resource: one.Name, Type: one.Type, Name: ref.ResourceName(one), Counts: []aloft.ResourceCount{}})
	}
	return all, nil
}
