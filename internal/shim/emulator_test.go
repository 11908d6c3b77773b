package shim_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/aloft-run/aloft/internal/awstest"
	"github.com/aloft-run/aloft/internal/lambdahttp"
	"github.com/aloft-run/aloft/internal/shim"
	"github.com/aloft-run/aloft/internal/shim/shimbin"
)

// inPython is a web server that ignores PORT.
const inPython = `#!/usr/bin/env python3
import http.server, os
class App(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = ("python " + self.path + " " + os.environ["GREETING"] + " " + os.getcwd()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("", 0), App).serve_forever()
`

// TestLayerInEmulator deploys a web server with the shim's layer to an emulator of AWS that is not ours: on an OS-only runtime, and
// in place of a managed one; the config comes from its Secrets Manager.
func TestLayerInEmulator(t *testing.T) {
	t.Parallel()
	cloud := awstest.Emulator(t)
	cloud.NeedMiniStack(t)
	client, ctx := lambda.NewFromConfig(cloud.Config), t.Context()
	archive, _, err := shimbin.Layer(ctx, runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	layer, err := client.PublishLayerVersion(ctx, &lambda.PublishLayerVersionInput{
		LayerName: aws.String("shim"), Content: &types.LayerVersionContentInput{ZipFile: archive},
	})
	if err != nil {
		t.Fatal(err)
	}
	secrets := secretsmanager.NewFromConfig(cloud.Config)
	if _, err := secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("aloft/app/production"), SecretString: aws.String(`{"GREETING":"hello"}`)}); err != nil {
		t.Fatal(err)
	}
	spec, err := json.Marshal(shim.Spec{Command: []string{"./server"}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://example.com/a%20b?x=1", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	event, err := lambdahttp.Encode(lambdahttp.APIGatewayV2, r, nil, &lambdahttp.Meta{SourceIP: "203.0.113.7", Time: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for name, kind := range map[string]types.Runtime{"own": types.RuntimeProvidedal2023, "wrapped": types.RuntimePython312} {
		env := map[string]string{shim.SpecVariable: string(spec), shim.SecretVariable: "aloft/app/production"}
		if name == "wrapped" {
			env["AWS_LAMBDA_EXEC_WRAPPER"] = "/opt/bootstrap"
		}
		_, err := client.CreateFunction(ctx, &lambda.CreateFunctionInput{
			FunctionName: aws.String("shim-" + name), Runtime: kind, Handler: aws.String("none"), Role: aws.String("arn:aws:iam::123456789012:role/any"),
			Code: &types.FunctionCode{ZipFile: packed(t, "server", inPython)}, Layers: []string{aws.ToString(layer.LayerVersionArn)},
			Environment: &types.Environment{Variables: env}, Timeout: aws.Int32(20),
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("shim-" + name), Payload: event})
		if err != nil {
			t.Fatal(err)
		}
		reply, err := lambdahttp.DecodeReply(lambdahttp.APIGatewayV2, http.MethodGet, out.Payload)
		if err != nil || out.FunctionError != nil {
			t.Errorf("%s: the reply is %s %v", name, out.Payload, err)
			continue
		}
		if text, _ := io.ReadAll(reply.Body); !strings.HasPrefix(string(text), "python /a%20b?x=1 hello /") {
			t.Errorf("%s: the answer is %d %q", name, reply.Status, text)
		}
	}
}

// packed is the zip of one program.
func packed(t *testing.T, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: name, Method: zip.Deflate}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
