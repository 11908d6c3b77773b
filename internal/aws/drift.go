package aws

import (
	"context"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/aloft-run/aloft"
)

// Drifted is a part of a stack that is not as its template says: somebody changed it by other means.
type Drifted struct {
	Region      string   `json:"region"`
	ID          string   `json:"id"`       // logical
	Type        string   `json:"type"`     // "AWS::Lambda::Function"
	Physical    string   `json:"physical"` // its name or id
	Deleted     bool     `json:"deleted,omitempty"`
	Differences []string `json:"differences,omitempty"` // "/MemorySize: 1024, the template says 512"
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
		found, err := p.in(name).drift(ctx, StackName(ref))
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
			return nil, aloft.Errorf(aloft.Failed, "%s: %s", what, sdk.ToString(now.DetectionStatusReason)).WithHint("try again in a minute")
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
			one := Drifted{
				Region: r.name, ID: sdk.ToString(d.LogicalResourceId), Type: sdk.ToString(d.ResourceType), Physical: sdk.ToString(d.PhysicalResourceId),
				Deleted: d.StackResourceDriftStatus == types.StackResourceDriftStatusDeleted,
			}
			for _, difference := range d.PropertyDifferences {
				if !ofReleases(one.Type, sdk.ToString(difference.PropertyPath)) {
					one.Differences = append(one.Differences, fmt.Sprintf("%s: %s, the template says %s",
						sdk.ToString(difference.PropertyPath), sdk.ToString(difference.ActualValue), sdk.ToString(difference.ExpectedValue)))
				}
			}
			if one.Deleted || len(one.Differences) > 0 {
				all = append(all, one)
			}
		}
	}
	return all, nil
}

// ofReleases reports whether a property is one that releases change without the stack.
func ofReleases(kind, path string) bool {
	return kind == "AWS::Lambda::Alias" && (path == "/FunctionVersion" || path == "/Description")
}
