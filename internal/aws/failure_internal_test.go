package aws

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
)

// TestReasonsSayNoVariable: Lambda's refusal of an environment has all variables in clear.
func TestReasonsSayNoVariable(t *testing.T) {
	t.Parallel()
	reason := "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded " +
		`the 4KB limit. String measured: {"KEY":"s3cret"}`
	id, kind := "WebFunction", "AWS::Lambda::Function"
	e := types.StackEvent{LogicalResourceId: &id, ResourceType: &kind, ResourceStatus: types.ResourceStatusCreateFailed, ResourceStatusReason: &reason}
	said := (&Session{}).explain(&smithy.GenericAPIError{Code: "InvalidParameterValueException", Message: reason}, "change it")
	for _, text := range []string{whyOf(e, "shop"), said.Error()} {
		if strings.Contains(text, "s3cret") || !strings.Contains(text, "exceeded the 4KB limit") {
			t.Errorf("it is said: %s", text)
		}
	}
}
