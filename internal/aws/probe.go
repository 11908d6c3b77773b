package aws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

const (
	// propagation is how long an address that was just made may not answer yet, or answer that something may not be asked.
	propagation  = 30 * time.Second
	probedBytes  = 64 << 10
	serverErrors = http.StatusInternalServerError
)

// probe asks the public address of each region, as a visitor would. A permission that is missing is named and mended; anything
// else is a warning: the release serves.
func (d *deployment) probe(ctx context.Context) {
	_ = d.each(func(r *regional) error {
		if err := r.probe(ctx); err != nil && ctx.Err() == nil { // one that is broken off tells nothing
			d.report.Report(aloft.Warning{Text: err.Error()})
		}
		return nil
	})
}

func (r *regional) probe(ctx context.Context) error {
	found, err := r.described(ctx)
	if err != nil {
		return err
	}
	base := outputOf(found, stack.OutputURL)
	if base == "" {
		return nil
	}
	url := strings.TrimSuffix(base, "/") + r.probePath()
	began := time.Now()
	status, body, err := r.ask(ctx, url, began.Add(propagation))
	if err == nil && refused(status, body) && r.mend(ctx) {
		status, body, err = r.askAgain(ctx, url, time.Now().Add(propagation))
	}
	r.tellUnwell(status)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %s does not answer: %w", r.name, url, err)
	case status >= serverErrors:
		return fmt.Errorf("%s: %s answers %d: %s%s", r.name, url, status, firstLine(body), r.lastLines(ctx))
	case refused(status, body):
		return fmt.Errorf("%s: %s answers 403: %s", r.name, url, firstLine(body))
	}
	r.report.Report(aloft.StepDone{Step: aloft.StepReady, Text: fmt.Sprintf("%s answers %d", url, status), Elapsed: time.Since(began)})
	return nil
}

// tellUnwell warns of an answer that Route 53 takes for that of a region which is down, if it asks. No answer is 0.
func (r *regional) tellUnwell(status int) {
	if !r.out.Checked() || status == 0 || status >= http.StatusOK && status < http.StatusBadRequest {
		return
	}
	r.report.Report(aloft.Warning{Text: fmt.Sprintf("%s: GET %s answers %d, and Route 53, which asks that, takes all but 2xx and 3xx for a region that is down. Where it takes all "+
		"regions so, it takes none so, and one that is down keeps its requests: have it answer 2xx or 3xx, or set health: /PATH to a path that does", r.name, r.probePath(), status)})
}

// probePath is the path of the health check of the first web function, "/" without one.
func (r *regional) probePath() string {
	for _, f := range r.release.Tuned() {
		if f.Kind == aloft.Web && f.HealthPath != "" {
			return f.HealthPath
		}
	}
	return "/"
}

// ask asks until the address is known. An address that was made a moment ago may not be known, or be refused, for some seconds.
func (r *regional) ask(ctx context.Context, url string, until time.Time) (status int, body string, err error) {
	for {
		status, body, err = r.get(ctx, url)
		unknown := err != nil && isUnknown(err)
		fresh := status == http.StatusForbidden && strings.Contains(body, "Forbidden") && r.isNew()
		if !unknown && !fresh || time.Now().After(until) {
			return status, body, err
		}
		if waitErr := r.pause(ctx); waitErr != nil {
			return status, body, errors.Join(err, waitErr)
		}
	}
}

// refused reports whether an answer may come of a permission that is missing. A REST API without a route for the path says 403 too, and
// then serves: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
func refused(status int, body string) bool {
	return status == http.StatusForbidden && !strings.Contains(body, "Missing Authentication Token") || status >= serverErrors
}

// askAgain asks until what was mended is known everywhere, which takes seconds.
func (r *regional) askAgain(ctx context.Context, url string, until time.Time) (status int, body string, err error) {
	for {
		status, body, err = r.ask(ctx, url, until)
		if err != nil || !refused(status, body) || time.Now().After(until) {
			return status, body, err
		}
		if err := r.pause(ctx); err != nil {
			return status, body, err
		}
	}
}

// isNew reports whether the address was made by this deploy: with the stage, or with another kind of API than the one before.
func (r *regional) isNew() bool {
	if r.current.AWS != nil && stack.API(r.current.AWS.Endpoint) != stack.API(r.release.AWS.Endpoint) {
		return true
	}
	return r.serving != nil && len(r.serving) == 0
}

func isUnknown(err error) bool {
	_, dns := errors.AsType[*net.DNSError](err)
	return dns
}

func (r *regional) get(ctx context.Context, url string) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("User-Agent", "aloft-probe")
	answer, err := r.Client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, probedBytes))
	return answer.StatusCode, string(body), err
}

func firstLine(text string) string {
	const enough = 200
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line[:min(enough, len(line))]
}
