package aws

import (
	"context"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

// StackState is how the stack of a stage is in one region.
type StackState struct {
	Region  string    `json:"region"`
	Stack   string    `json:"stack"`
	Status  string    `json:"status"`            // CloudFormation's; "" if there is no such stack
	Reason  string    `json:"reason,omitempty"`  // of the status, in CloudFormation's words
	Release int       `json:"release,omitempty"` // whose template it has; releases that changed only code leave it
	Changed time.Time `json:"changed,omitzero"`
	Hint    string    `json:"hint,omitempty"` // what to do about it, if something is to be done
}

// Stacks says how the stacks of a stage are, by region.
func (p *Platform) Stacks(ctx context.Context, ref aloft.StageRef) ([]StackState, error) {
	release, err := p.current(ctx, ref)
	if err != nil || release.Version == 0 {
		return nil, err
	}
	var all []StackState
	for _, name := range release.AWS.Regions {
		found, err := p.in(name).stackOf(ctx, StackName(release))
		if err != nil {
			return nil, err
		}
		one := StackState{Region: name, Stack: StackName(release), Status: string(statusOf(found)), Hint: hintOf(conditionOf(statusOf(found)), ref)}
		if found != nil {
			one.Reason = discreet(sdk.ToString(found.StackStatusReason))
			one.Release, _ = aloft.ParseVersion(outputOf(found, stack.OutputRelease)) // 0: its template is not aloft's
			one.Changed = sdk.ToTime(found.CreationTime)
			if found.LastUpdatedTime != nil {
				one.Changed = *found.LastUpdatedTime
			}
		}
		all = append(all, one)
	}
	return all, nil
}

// hintOf is what to do about a stack of a stage that has a release.
func hintOf(c condition, ref aloft.StageRef) string {
	again := "aloft up " + ref.Stage + " --force"
	switch c {
	case absent:
		return "somebody deleted the stack: " + again + " makes it again"
	case busy:
		return "somebody changes it: a deploy, or one that was interrupted"
	case neverWas, halfBack, halfGone, unfinished, inReview:
		return "a change of it did not come to its end: " + again + " repairs it"
	case whole:
	}
	return ""
}
