package aws

import (
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

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

// stateOf says how the stack of a stage is in a region; found is nil if there is none.
func stateOf(at shown, region string, found *types.Stack) StackState {
	release := at.release
	one := StackState{Region: region, Stack: StackName(release), Status: string(statusOf(found)), Hint: at.hint(conditionOf(statusOf(found)))}
	if found != nil {
		one.Reason = discreet(sdk.ToString(found.StackStatusReason))
		one.Release, _ = aloft.ParseVersion(outputOf(found, stack.OutputRelease)) // 0: its template is not aloft's
		one.Changed = sdk.ToTime(found.CreationTime)
		if found.LastUpdatedTime != nil {
			one.Changed = *found.LastUpdatedTime
		}
	}
	return one
}

// hint is what to do about a stack of the stage.
func (s shown) hint(c condition) string {
	if s.serves {
		return hintOf(c, s.stage.StageRef)
	}
	again := "aloft up " + s.stage.Stage
	switch c {
	case absent:
		return "nothing was made, or it was taken back: " + again + " makes it"
	case busy:
		return "somebody changes it: a deploy, or one that was interrupted"
	case neverWas, halfGone:
		return "it was not made whole: " + again + " deletes it and makes it again"
	case halfBack, unfinished, inReview, whole:
	}
	return again + " goes on from there"
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
