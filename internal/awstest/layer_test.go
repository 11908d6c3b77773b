package awstest_test

import (
	"os/exec"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/aloft-run/aloft/internal/awstest"
)

// answering is a bootstrap that answers each event with what the code says.
const answering = `#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while id=$(curl -sS -o /dev/null -D - "$api/next" | tr -d '\r' | sed -n 's/^lambda-runtime-aws-request-id: //Ip'); do
	curl -sS -o /dev/null --data @says.json "$api/$id/response"
done
`

// TestBootstrapInLayer checks what ministack/sitecustomize.py adds.
func TestBootstrapInLayer(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("needs curl: apt-get install curl")
	}
	cloud := awstest.Emulator(t)
	cloud.NeedMiniStack(t)
	client, ctx := lambda.NewFromConfig(cloud.Config), t.Context()
	layer, err := client.PublishLayerVersion(ctx, &lambda.PublishLayerVersionInput{
		LayerName: aws.String("shim"), Content: &types.LayerVersionContentInput{ZipFile: awstest.Zip(t, map[string]string{"bootstrap": answering})},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, runtime := range map[string]types.Runtime{"own": types.RuntimeProvidedal2023, "wrapped": types.RuntimePython312} {
		input := &lambda.CreateFunctionInput{
			FunctionName: &name, Runtime: runtime, Handler: aws.String("none"), Role: aws.String("arn:aws:iam::123456789012:role/any"),
			Code: &types.FunctionCode{ZipFile: awstest.Zip(t, map[string]string{"says.json": `"` + name + `"`})}, Layers: []string{*layer.LayerVersionArn},
		}
		if runtime == types.RuntimePython312 {
			input.Environment = &types.Environment{Variables: map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap"}}
		}
		if _, err := client.CreateFunction(ctx, input); err != nil {
			t.Fatal(err)
		}
		got, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: []byte("{}")})
		if err != nil {
			t.Fatal(err)
		}
		if string(got.Payload) != `"`+name+`"` || got.FunctionError != nil {
			t.Errorf("%s answered %s (%v)", name, got.Payload, aws.ToString(got.FunctionError))
		}
	}
}
