package function

import (
	"context"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft/internal/runtimeapi"
)

// takeSession serves the Runtime API. Extensions may subscribe to telemetry where the instance has a network of its own: the
// server connects to ports that they name, which may be somebody else's on a network that is shared.
func (i *instance) takeSession(l net.Listener, env []string) {
	i.session = runtimeapi.Serve(l)
	i.session.Await(i.pool.Extensions)
	if i.pool.ownNetwork() {
		i.session.Offer(runtimeapi.Telemetry{Function: i.lambdaName(env), Version: strconv.Itoa(i.pool.Release), Dial: i.dialPort})
	}
	i.tells.Store(i.session)
}

// lambdaName is the function's name as it knows it itself.
func (i *instance) lambdaName(env []string) string {
	for _, kv := range env {
		if name, ok := strings.CutPrefix(kv, "AWS_LAMBDA_FUNCTION_NAME="); ok {
			return name
		}
	}
	return i.pool.Function.Name
}

func (i *instance) dialPort(ctx context.Context, port int) (net.Conn, error) {
	select {
	case <-i.launched:
		return i.box.Dial(ctx, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the instance: %w", ctx.Err())
	}
}

// tellLine tells subscribers of what the function prints.
func (i *instance) tellLine(text string, at time.Time) {
	if s := i.tells.Load(); s != nil {
		s.Tell("function", at, func() any { return text + "\n" })
	}
}

// tellInit tells subscribers that the runtime is initialised.
func (i *instance) tellInit() {
	i.session.Tell("platform.initRuntimeDone", time.Now(), func() any {
		return map[string]any{"initializationType": "on-demand", "phase": "init", "status": "success"}
	})
	i.session.Tell("platform.initReport", time.Now(), func() any {
		metrics := map[string]float64{"durationMs": rounded(i.report.init)}
		return map[string]any{"initializationType": "on-demand", "phase": "init", "status": "success", "metrics": metrics}
	})
}

// tellReport tells subscribers what an invocation took.
func (i *instance) tellReport(j *job, took time.Duration, megabytes int64, first bool) {
	i.session.Tell("platform.report", time.Now(), func() any {
		metrics := map[string]float64{
			"durationMs": rounded(took), "billedDurationMs": math.Ceil(millis(took)),
			"memorySizeMB": float64(i.pool.Function.Memory), "maxMemoryUsedMB": float64(megabytes),
		}
		if first {
			metrics["initDurationMs"] = rounded(i.report.init)
		}
		status := "success"
		if j.late.Load() {
			status = "timeout"
		}
		return map[string]any{"requestId": j.id, "status": status, "metrics": metrics}
	})
}

// rounded is a duration in milliseconds, to the microsecond.
func rounded(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
