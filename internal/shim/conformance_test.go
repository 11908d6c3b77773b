package shim_test

import (
	"context"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/conformancetest"
	"github.com/aloft-run/aloft/internal/lambdahttp"
	"github.com/aloft-run/aloft/internal/shim"
	"github.com/aloft-run/aloft/internal/shim/shimtest"
)

// TestConformance runs the suite that all platforms pass behind each of AWS's gateways.
func TestConformance(t *testing.T) {
	bootstrap, dir := build(t), t.TempDir()
	conformancetest.Write(t, dir)
	for name, c := range map[string]struct {
		format lambdahttp.Format
		stream bool
	}{
		"http api": {format: lambdahttp.APIGatewayV2}, "rest api": {format: lambdahttp.APIGatewayV1}, "rest api, streamed": {lambdahttp.APIGatewayV1, true},
		"function url": {format: lambdahttp.FunctionURL}, "function url, streamed": {lambdahttp.FunctionURL, true},
		"load balancer": {format: lambdahttp.ALB}, "load balancer, all values": {format: lambdahttp.ALBMulti},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := shimtest.Start(t, shimtest.Function{
				Shim: bootstrap, Dir: dir, Timeout: 3 * time.Second, Env: []string{"GREETING=hello"}, Spec: shim.Spec{
					Command: []string{"./server"}, EventPath: "/events", Sources: map[string]string{"same-production-jobs": "jobs"}, Stream: c.stream, RequestLog: true,
				},
			})
			<-l.Session.Ready()
			p := conformancetest.Platform{
				URL: l.Gateway(t, c.format).URL, Host: "app.example.com", Streams: c.stream, Fills: c.stream && c.format == lambdahttp.FunctionURL, OneValue: c.format == lambdahttp.ALB, Trace: shimtest.Trace,
				Deliver: func(ctx context.Context, messages ...string) error {
					return l.Queue(ctx, "same-production-jobs", messages...)
				},
			}
			if !c.stream {
				p.MaxReply = lambdahttp.MaxPayload
			}
			conformancetest.Run(t, p)
		})
	}
}
