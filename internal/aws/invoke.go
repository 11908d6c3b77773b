package aws

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

var _ aloft.Invoker = (*Platform)(nil)

// Invoke has a function work on an event, in the home region of the release that the stage serves; see [aloft.Invoker]. The
// qualifier may be the number of a release whose versions are still in Lambda.
func (p *Platform) Invoke(ctx context.Context, input aloft.InvokeInput) (aloft.Invoked, error) {
	release, err := p.current(ctx, input.Stage)
	if err != nil {
		return aloft.Invoked{}, err
	}
	qualifier, version := stack.Live, release.Version
	if n, is := aloft.ParseVersion(input.Qualifier); is && n != release.Version {
		if release, qualifier, err = p.versionOf(ctx, input, n); err != nil {
			return aloft.Invoked{}, err
		}
		version = n
	} else if !is && input.Qualifier != "" && input.Qualifier != aloft.LatestVersion {
		return aloft.Invoked{}, aloft.Errorf(aloft.NotFound, "%s has no alias %q on AWS", input.Stage, input.Qualifier).WithHint("name a release, such as v%d", release.Version)
	}
	f, err := invocable(release, input)
	if err != nil {
		return aloft.Invoked{}, err
	}
	r := p.in(release.AWS.Regions[0])
	request := &lambda.InvokeInput{FunctionName: sdk.String(release.NameOf(f)), Qualifier: &qualifier, Payload: input.Payload}
	if input.Async {
		request.InvocationType = types.InvocationTypeEvent
	}
	if input.Tail && !input.Async {
		request.LogType = types.LogTypeTail
	}
	if input.ClientContext != "" {
		request.ClientContext = sdk.String(base64.StdEncoding.EncodeToString([]byte(input.ClientContext)))
	}
	began := time.Now()
	out, err := r.lambda.Invoke(ctx, request, patient, once)
	if err != nil {
		return aloft.Invoked{}, p.Session.explain(err, "invoke "+release.NameOf(f)+" in "+r.name)
	}
	got := aloft.Invoked{RequestID: requestID(out.ResultMetadata), Release: version, Payload: out.Payload, Elapsed: time.Since(began)}
	if sdk.ToString(out.FunctionError) != "" {
		got.FunctionError = errorType(out.Payload, sdk.ToString(out.FunctionError))
	}
	if got.LogTail, err = base64.StdEncoding.DecodeString(sdk.ToString(out.LogResult)); err != nil {
		return got, fmt.Errorf("read the log of the invocation: %w", err)
	}
	return got, nil
}

// once has a call tried again only if it was throttled: then nothing was done. Of an answer that got lost nobody knows.
func once(o *lambda.Options) {
	o.Retryer = retry.NewStandard(func(so *retry.StandardOptions) {
		so.Retryables = []retry.IsErrorRetryable{retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes}}
		so.MaxAttempts = attempts
	})
}

// invocable is the function that an event is for.
func invocable(release aloft.Release, input aloft.InvokeInput) (aloft.Function, error) {
	all := lambdaFunctions(release)
	at := slices.IndexFunc(all, func(f aloft.Function) bool { return f.Name == input.Function })
	if at >= 0 {
		return all[at], nil
	}
	e := aloft.Errorf(aloft.NotFound, "%s has no function %q", input.Stage, input.Function)
	if len(all) == 0 {
		return aloft.Function{}, e.WithHint("nothing is deployed yet: aloft up %s", input.Stage.Stage)
	}
	return aloft.Function{}, e.WithHint("aloft functions %s lists them", input.Stage.Stage)
}

// versionOf is another release than the current one, and the version in Lambda of the function that an event is for.
func (p *Platform) versionOf(ctx context.Context, input aloft.InvokeInput, n int) (aloft.Release, string, error) {
	release, err := p.Releases.Release(ctx, input.Stage, n)
	if err != nil {
		return release, "", err
	}
	made, err := p.recordOf(ctx, input.Stage, title(release))
	if err != nil {
		return release, "", err
	}
	if release.AWS != nil && len(release.AWS.Regions) > 0 {
		if version := made.Regions[release.AWS.Regions[0]].Versions[input.Function]; version != "" {
			return release, version, nil
		}
	}
	return release, "", aloft.Errorf(aloft.NotFound, "Lambda has no version of %s of v%d any more, or never had one", input.Function, n).
		WithHint("aloft rollback v%d --stage %s makes it serve again", n, input.Stage.Stage)
}

// errorType is that of the error that a function ended with, else Lambda's word for how it ended.
func errorType(payload []byte, kind string) string {
	var e struct{ ErrorType string }
	if json.Unmarshal(payload, &e) == nil && e.ErrorType != "" {
		return e.ErrorType
	}
	return kind
}
