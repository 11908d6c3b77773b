package aws

import (
	"context"
	"errors"
	"fmt"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

// provisionedLimit is how long a deploy waits for environments that are made ahead of requests. AWS takes minutes.
const provisionedLimit = 15 * time.Minute

// warmUp waits until the environments that functions have ahead of requests are those of the release. Until then Lambda leads requests to
// the version before, by weights of the alias that it sets itself, and refuses changes of the alias.
// https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
func (r *regional) warmUp(ctx context.Context) error {
	for _, f := range r.release.Tuned() {
		if f.Lambda == nil || f.Lambda.Provisioned == 0 || r.out.Functions[f.Name].Lambda == "" {
			continue
		}
		if err := r.warm(ctx, r.out.Functions[f.Name].Lambda, r.report); err != nil {
			return err
		}
	}
	return nil
}

// warm is warmUp of one function. What AWS cannot make, or not in time, is a warning: requests are answered all the same.
func (r *region) warm(ctx context.Context, function string, report aloft.Reporter) error {
	ctx, cancel := context.WithTimeoutCause(ctx, provisionedLimit, errPatience)
	defer cancel()
	err := r.awaitWarm(ctx, function, report)
	if errors.Is(context.Cause(ctx), errPatience) {
		report.Report(aloft.Warning{Text: fmt.Sprintf("%s: the environments of %s are not ready after %v; until they are, the release before answers", r.name, function, provisionedLimit)})
		return nil
	}
	return err
}

func (r *region) awaitWarm(ctx context.Context, function string, report aloft.Reporter) error {
	for told := false; ; told = true {
		alias, err := r.alias(ctx, function)
		if err != nil || alias == nil || leadsTo(alias, sdk.ToString(alias.FunctionVersion)) {
			return err
		}
		now, err := r.lambda.GetProvisionedConcurrencyConfig(ctx, &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: &function, Qualifier: sdk.String(stack.Live)})
		if err != nil { // such as of credentials that may not ask: the alias tells when it is over
			r.Logger.Warn("look at provisioned concurrency", "function", function, "error", err)
		} else if now.Status == lambdatypes.ProvisionedConcurrencyStatusEnumFailed {
			report.Report(aloft.Warning{Text: fmt.Sprintf("%s: AWS made no environments of %s ahead: %s", r.name, function, discreet(sdk.ToString(now.StatusReason)))})
			return nil
		}
		if !told {
			report.Report(aloft.Notice{Text: fmt.Sprintf("%s: the release before answers until the environments of %s are ready (lambda.provisioned)", r.name, function)})
		}
		if err := r.pause(ctx); err != nil {
			return r.Session.explain(err, "wait for the environments of "+function+" in "+r.name)
		}
	}
}

var errPatience = errors.New("that takes too long")
