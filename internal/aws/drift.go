package aws

import (
	"context"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/aloft-run/aloft"
)

// Drifted is a part of a stack that is not as its template says: somebody changed it by other means.
type Drifted struct {
	Region      string       `json:"region"`
	ID          string       `json:"id"`       // logical
	Type        string       `json:"type"`     // "AWS::Lambda::Function"
	Physical    string       `json:"physical"` // its name or id
	Deleted     bool         `json:"deleted,omitempty"`
	Differences []Difference `json:"differences,omitempty"`
}

// Difference is a property that is not as the template says.
type Difference struct {
	Property string `json:"property"` // "/MemorySize"
	Expected string `json:"expected"`
	Actual   string `json:"actual"`
}

// Drift has CloudFormation compare what a stage's stacks made with their templates, in all regions. It takes some seconds to
// minutes. Where requests lead by releases that changed only code is no drift.
func (p *Platform) Drift(ctx context.Context, ref aloft.StageRef) ([]Drifted, error) {
	release, err := p.current(ctx, ref)
	if err != nil || release.Version == 0 {
		return nil, err
	}
	var all []Drifted
	for _, name := range release.AWS.Regions {
		found, err := p.in(name).drift(ctx, StackName(release))
		if err != nil {
			return all, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func (r *region) drift(ctx context.Context, name string) ([]Drifted, error) {
	what := "compare the stack " + name + " in " + r.name + " with its template"
	began, err := r.stacks.DetectStackDrift(ctx, &cloudformation.DetectStackDriftInput{StackName: &name})
	if err != nil {
		return nil, r.Session.explain(err, what)
	}
	for {
		now, err := r.stacks.DescribeStackDriftDetectionStatus(ctx, &cloudformation.DescribeStackDriftDetectionStatusInput{StackDriftDetectionId: began.StackDriftDetectionId})
		if err != nil {
			return nil, r.Session.explain(err, what)
		}
		if now.DetectionStatus == types.StackDriftDetectionStatusDetectionFailed {
			return nil, aloft.Errorf(aloft.Failed, "%s: %s", what, discreet(sdk.ToString(now.DetectionStatusReason))).WithHint("try again in a minute")
		}
		if now.DetectionStatus == types.StackDriftDetectionStatusDetectionComplete {
			return r.drifted(ctx, name)
		}
		if err := r.pause(ctx); err != nil {
			return nil, r.Session.explain(err, what)
		}
	}
}

// drifted lists what the last comparison found.
func (r *region) drifted(ctx context.Context, name string) ([]Drifted, error) {
	var all []Drifted
	pages := cloudformation.NewDescribeStackResourceDriftsPaginator(r.stacks, &cloudformation.DescribeStackResourceDriftsInput{
		StackName:                       &name,
		StackResourceDriftStatusFilters: []types.StackResourceDriftStatus{types.StackResourceDriftStatusModified, types.StackResourceDriftStatusDeleted},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, r.Session.explain(err, "read what differs from the template in "+r.name)
		}
		for _, d := range page.StackResourceDrifts {
			if one, is := r.driftOf(d); is {
				all = append(all, one)
			}
		}
	}
	return all, nil
}

// driftOf is what differs of one part; false if that is what aloft itself does without the stack.
func (r *region) driftOf(d types.StackResourceDrift) (Drifted, bool) {
	one := Drifted{
		Region: r.name, ID: sdk.ToString(d.LogicalResourceId), Type: sdk.ToString(d.ResourceType), Physical: sdk.ToString(d.PhysicalResourceId),
		Deleted: d.StackResourceDriftStatus == types.StackResourceDriftStatusDeleted,
	}
	for _, difference := range d.PropertyDifferences {
		found := Difference{sdk.ToString(difference.PropertyPath), sdk.ToString(difference.ExpectedValue), sdk.ToString(difference.ActualValue)}
		if one.Type == "AWS::Lambda::Function" && strings.HasPrefix(found.Property, "/Environment") {
			found.Expected, found.Actual = leftOut, leftOut
		}
		if !ofReleases(one.Type, found) {
			one.Differences = append(one.Differences, found)
		}
	}
	gone := one.Deleted && one.Type != "AWS::Lambda::Version" // old versions are deleted when there are many
	return one, gone || len(one.Differences) > 0
}

// leftOut stands for variables: AWS hides those of NoEcho parameters where the template is, and not where a function is.
const leftOut = "(left out: variables may be secrets)"

// ofReleases reports whether a difference is one that aloft makes without the stack: releases of new code, and aloft stop.
func ofReleases(kind string, d Difference) bool {
	switch kind {
	case "AWS::Lambda::Alias":
		return d.Property == "/FunctionVersion" || d.Property == "/Description"
	case "AWS::Lambda::Function":
		return strings.HasPrefix(d.Property, "/Code") || d.Property == "/ReservedConcurrentExecutions" && d.Actual == "0"
	}
	return false
}
