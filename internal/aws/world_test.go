package aws_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aws"
	"github.com/aloft-run/aloft/internal/awstest"
	"github.com/aloft-run/aloft/internal/mem"
	"github.com/aloft-run/aloft/internal/stack"
)

const home = "eu-west-1"

// bootstrap is a shim of our own for tests: it answers every request with what the app says, or as it is told.
const bootstrap = `#!/usr/bin/env python3
import json, os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
said = open(os.path.join(os.environ["LAMBDA_TASK_ROOT"], "message")).read()
while True:
    with urllib.request.urlopen(api + "next") as r:
        id = r.headers["Lambda-Runtime-Aws-Request-Id"]
        r.read()
    if said.startswith("dead"):
        error = json.dumps({"errorType": "Runtime.ExitError", "errorMessage": "./server ended before it was ready: exit status 3; its last lines:\nno database"}).encode()
        urllib.request.urlopen(urllib.request.Request(api + id + "/error", data=error, headers={"Lambda-Runtime-Function-Error-Type": "Runtime.ExitError"})).read()
        continue
    status = 500 if said == "broken" else 200
    body = json.dumps({"statusCode": status, "body": said + " " + os.environ.get("COLOR", "")}).encode()
    urllib.request.urlopen(urllib.request.Request(api + id + "/response", data=body)).read()
`

func zipped(t *testing.T, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: name, Method: zip.Deflate}
	header.SetMode(0o755)
	f, err := w.CreateHeader(header)
	if err == nil {
		_, err = f.Write([]byte(text))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// objects is a bucket of the emulator.
type objects struct {
	client *s3.Client
	bucket string
}

func (o objects) Has(ctx context.Context, key string) (bool, error) {
	_, err := o.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &o.bucket, Key: &key})
	if missing := new(types.NotFound); errors.As(err, &missing) {
		return false, nil
	}
	return err == nil, err
}

func (o objects) Put(ctx context.Context, key string, _ int64, open func() (io.ReadCloser, error)) error {
	body, err := open()
	if err != nil {
		return err
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	_, err = o.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &o.bucket, Key: &key, Body: bytes.NewReader(text)})
	return err
}

func (o objects) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	out, err := o.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &o.bucket, Key: &key})
	if api, ok := errors.AsType[smithy.APIError](err); ok && (api.ErrorCode() == "NoSuchKey" || api.ErrorCode() == "NoSuchBucket") {
		return nil, aloft.Errorf(aloft.NotFound, "no %s", key)
	}
	if err != nil {
		return nil, err
	}
	return out.Body, nil
}

func (o objects) Delete(ctx context.Context, key string) error {
	_, err := o.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &o.bucket, Key: &key})
	return err
}

func (objects) Empty(context.Context, string) error { return nil }

// reports keeps what was reported.
type reports struct {
	mu    sync.Mutex
	lines []string
}

func (r *reports) Report(event aloft.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf("%T %+v", event, event))
}

func (r *reports) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, "\n")
}

// world is a stage on an emulator.
type world struct {
	*testing.T

	cloud    *awstest.Cloud
	apps     aloft.AppService
	platform *aws.Platform
	options  aws.Options
	ref      aloft.StageRef
	regions  []string
	configs  []aloft.Config // by the number that they were sealed under
	zips     map[string][]byte
	report   *reports
	render   func(stack.Input) (stack.Output, error)
}

func newWorld(t *testing.T, cloud *awstest.Cloud, regions ...string) *world {
	t.Helper()
	w := &world{
		T: t, cloud: cloud, apps: &mem.Store{}, ref: aloft.StageRef{App: "hello", Stage: "production"}, regions: regions,
		configs: []aloft.Config{{"COLOR": "red"}}, zips: map[string][]byte{}, report: &reports{}, render: stack.Render,
	}
	if len(regions) == 0 {
		w.regions = []string{home}
	}
	w.must(w.apps.CreateApp(t.Context(), aloft.App{Name: w.ref.App}))
	w.must(w.apps.CreateStage(t.Context(), aloft.Stage{StageRef: w.ref}))
	w.reconnect()
	return w
}

// reconnect makes a new platform with which nothing goes wrong.
func (w *world) reconnect() {
	w.Helper()
	w.connect(w.cloud.Config)
}

// connect makes a new platform, as each command does.
func (w *world) connect(config sdk.Config) {
	w.Helper()
	session, err := aws.Identify(w.Context(), config, aws.Want{})
	w.must(err)
	shim := zipped(w.T, "bootstrap", bootstrap)
	w.options = aws.Options{
		Session: session, Releases: w.apps, Client: w.cloud.Client(), Poll: 30 * time.Millisecond,
		Objects: func(region string) aws.Objects {
			c := config.Copy()
			c.Region = region
			return objects{s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }), session.Bucket(region)}
		},
		Render: func(in stack.Input) (stack.Output, error) { return w.render(in) },
		Artifact: func(digest string) (io.ReadCloser, int64, error) {
			data, has := w.zips[digest]
			if !has {
				return nil, 0, aloft.Errorf(aloft.NotFound, "no artifact %s", digest)
			}
			return io.NopCloser(bytes.NewReader(data)), int64(len(data)), nil
		},
		Shim: func(context.Context, string) (aws.Shim, error) { return aws.Shim{Digest: digest(shim), Zip: shim}, nil },
		Unseal: func(_ context.Context, r aloft.Release) (aloft.Config, error) {
			return w.configs[r.Config.Version], nil
		},
	}
	w.platform = aws.New(w.options)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("%v\n%s", err, w.report)
	}
}

// set changes the config of the releases that come.
func (w *world) set(name, value string) {
	w.configs = append(w.configs, aloft.Config{name: value})
}

// release appends a release of an app that says something.
func (w *world) release(message string) aloft.Release {
	w.Helper()
	data := zipped(w.T, "message", message)
	w.zips[digest(data)] = data
	made, err := w.apps.CreateRelease(w.Context(), aloft.Release{
		StageRef: w.ref, Kind: aloft.DeployRelease, Platform: aloft.OnAWS, AWS: &aloft.AWS{Regions: slices.Clone(w.regions), Architecture: aloft.X8664},
		Artifact:  aloft.Artifact{Digest: digest(data), Size: int64(len(data)), Files: 1},
		Functions: []aloft.Function{{Name: "web", Kind: aloft.Web, Command: []string{"./server"}}},
		Config:    aloft.SealedConfig{Version: len(w.configs) - 1},
	})
	w.must(err)
	return made
}

// apply applies a release as a deploy does.
func (w *world) apply(ctx context.Context, release aloft.Release) error {
	w.report = &reports{}
	err := w.platform.Apply(ctx, release, w.report, func(ctx context.Context) error {
		return w.apps.FinishRelease(ctx, w.ref, release.Version, "")
	})
	if err != nil {
		_ = w.apps.FinishRelease(context.WithoutCancel(ctx), w.ref, release.Version, err.Error())
	}
	return err
}

func (w *world) up(message string) {
	w.Helper()
	w.must(w.apply(w.Context(), w.release(message)))
}

// says asks the stage.
func (w *world) says() string {
	w.Helper()
	status, err := w.platform.Status(w.Context(), w.ref)
	w.must(err)
	request, err := http.NewRequestWithContext(w.Context(), http.MethodGet, status.URL, http.NoBody)
	w.must(err)
	answer, err := w.cloud.Client().Do(request)
	w.must(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	w.must(err)
	return strings.TrimSpace(string(body))
}

func (w *world) expect(want string) {
	w.Helper()
	if got := w.says(); got != want {
		w.Errorf("the stage says %q, want %q\n%s", got, want, w.report)
	}
}

// stacks lists the stacks of a region by name, with their statuses.
func (w *world) stacks(region string) map[string]string {
	w.Helper()
	all := map[string]string{}
	out, err := cloudformation.NewFromConfig(w.in(region)).DescribeStacks(w.Context(), &cloudformation.DescribeStacksInput{})
	w.must(err)
	for _, s := range out.Stacks {
		all[*s.StackName] = string(s.StackStatus)
	}
	return all
}

func (w *world) functions(region string) []string {
	w.Helper()
	out, err := lambda.NewFromConfig(w.in(region)).ListFunctions(w.Context(), &lambda.ListFunctionsInput{})
	w.must(err)
	var all []string
	for _, f := range out.Functions {
		all = append(all, *f.FunctionName)
	}
	return all
}

func (w *world) in(region string) sdk.Config {
	c := w.cloud.Config.Copy()
	c.Region = region
	return c
}
