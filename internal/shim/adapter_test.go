package shim_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lambdahttp"
	"github.com/aloft-run/aloft/internal/porttest"
	"github.com/aloft-run/aloft/internal/shim/shimtest"
)

// TestAdapterVariables: what Lambda Web Adapter's variables say holds here too.
func TestAdapterVariables(t *testing.T) {
	bootstrap := build(t)
	start := func(format lambdahttp.Format, env ...string) (*shimtest.Lambda, string) {
		l := shimtest.Start(t, shimtest.Function{Shim: bootstrap, Dir: t.TempDir(), Spec: self(t, "events"), Env: env})
		<-l.Session.Ready()
		return l, l.Gateway(t, format).URL
	}
	l, url := start(lambdahttp.APIGatewayV1, "AWS_LWA_REMOVE_BASE_PATH=/prod", "AWS_LWA_ERROR_STATUS_CODES=500-599,418", "AWS_LWA_AUTHORIZATION_SOURCE=x-auth",
		"AWS_LWA_PASS_THROUGH_PATH=/hook", "AWS_LWA_READINESS_CHECK_PATH=/missing", "AWS_LWA_INVOKE_MODE=response_stream")
	if _, body := get(t, url+"/prod/x?y"); !strings.HasPrefix(body, `"GET /x?y`) {
		t.Errorf("the base path is not taken off: %s", body)
	}
	if _, body := get(t, url+"/production"); !strings.HasPrefix(body, `"GET /production`) {
		t.Errorf("too much is taken off: %s", body)
	}
	if status, body := get(t, url+"/teapot"); status != http.StatusBadGateway || !strings.Contains(body, "HTTPError") {
		t.Errorf("an error status is no error of the function: %d %s", status, body)
	}
	if reply, err := l.Invoke(t.Context(), []byte(`{}`)); err != nil || !strings.HasPrefix(string(reply.Payload), `"POST /hook`) {
		t.Errorf("an event is answered %s, %v", reply.Payload, err)
	}
	request, err := http.NewRequest(http.MethodGet, url+"/authorization", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256")
	request.Header.Set("X-Auth", "Bearer mine")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.Header.Get("X-Seen") != "Bearer mine" {
		t.Errorf("the server sees Authorization %q", answer.Header.Get("X-Seen"))
	}
}

// TestAdapterBrokenErrors: an error status is an error of the function also where its response breaks off, whatever breaks it.
func TestAdapterBrokenErrors(t *testing.T) {
	t.Parallel()
	bootstrap := build(t)
	for name, mode := range map[string]string{"buffered": "buffered", "streamed": "response_stream"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := shimtest.Start(t, shimtest.Function{
				Shim: bootstrap, Dir: t.TempDir(), Spec: self(t, "events"), Timeout: time.Second,
				Env: []string{"AWS_LWA_ERROR_STATUS_CODES=503", "AWS_LWA_INVOKE_MODE=" + mode},
			})
			<-l.Session.Ready()
			for _, path := range []string{"/half", "/late half"} {
				event := fmt.Sprintf(`{"rawPath":%q,"requestContext":{"domainName":"a.lambda-url.b","http":{"method":"GET"}}}`, path)
				reply, err := l.Invoke(t.Context(), []byte(event))
				if err != nil {
					t.Fatal(err)
				}
				if f := reply.Failure; f == nil || f.Type != "HTTPError" || !strings.Contains(string(f.Payload), "status 503 Service Unavailable: no database (the response broke off") {
					t.Errorf("%s is answered %s, failure %+v", path, reply.Payload, f)
				}
			}
		})
	}
}

// TestAdapterReadiness: what the variables say of a server that is ready, and that what they cannot say is refused.
func TestAdapterReadiness(t *testing.T) {
	t.Parallel()
	bootstrap := build(t)
	for name, c := range map[string]struct {
		env  []string
		says string // the failure; "" if it is ready
	}{
		"a 404":           {env: []string{"PATH=/missing"}},
		"a list":          {env: []string{"PATH=/teapot", "HEALTHY_STATUS=200-399, 418"}},
		"not of the list": {[]string{"PATH=/missing", "HEALTHY_STATUS=200-399,418"}, "GET /missing answers 404"},
		"no path":         {[]string{"HEALTHY_STATUS=204"}, "GET / answers 200"},
		"tcp":             {env: []string{"PATH=/missing", "HEALTHY_STATUS=200", "PROTOCOL=TCP"}},
		"no status":       {[]string{"HEALTHY_STATUS=200,2xx"}, `AWS_LWA_READINESS_CHECK_HEALTHY_STATUS: \"2xx\" is neither a status nor a range`},
		"backwards":       {[]string{"HEALTHY_STATUS=399-200"}, "neither a status nor a range"},
		"no port":         {[]string{"PORT=many"}, `AWS_LWA_READINESS_CHECK_PORT: \"many\" is not a port`},
		"closed port":     {[]string{"PORT=1"}, "port 1 takes no connections"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := self(t, "events")
			if c.says != "" {
				spec.BootTimeout = aloft.Duration(200 * time.Millisecond)
			}
			for i, variable := range c.env {
				c.env[i] = "AWS_LWA_READINESS_CHECK_" + variable
			}
			l := shimtest.Start(t, shimtest.Function{Shim: bootstrap, Dir: t.TempDir(), Spec: spec, Env: c.env})
			<-l.Session.Ready()
			switch f := l.Session.InitFailure(); {
			case f == nil && c.says != "":
				t.Errorf("it is taken for ready")
			case f != nil && (c.says == "" || !strings.Contains(string(f.Payload), c.says)):
				t.Errorf("it fails with %s, want %q", f.Payload, c.says)
			}
		})
	}
}

// TestAdapterPorts: a server listens where it is told to, and one that is asked on another port whether it is ready gets requests
// on its own, though that opens later.
func TestAdapterPorts(t *testing.T) {
	t.Parallel()
	ports := func() (traffic, check string) {
		traffic = porttest.Free(t)
		check = porttest.Free(t)
		return traffic, check
	}
	traffic, check := ports()
	bootstrap := build(t)
	for name, env := range map[string][]string{
		"both":          {"AWS_LWA_PORT=" + traffic, "AWS_LWA_READINESS_CHECK_PORT=" + check, "AWS_LWA_READINESS_CHECK_PATH=/ready"},
		"a chosen port": {"AWS_LWA_READINESS_CHECK_PORT=" + check, "AWS_LWA_READINESS_CHECK_PATH=/ready"},
	} {
		t.Run(name, func(t *testing.T) {
			l := shimtest.Start(t, shimtest.Function{Shim: bootstrap, Dir: t.TempDir(), Spec: self(t, "checked"), Env: append(env, "CHECK="+check)})
			<-l.Session.Ready()
			if f := l.Session.InitFailure(); f != nil {
				t.Fatalf("%s", f.Payload)
			}
			url := l.Gateway(t, lambdahttp.APIGatewayV2).URL
			if status, body := get(t, url+"/x"); status != http.StatusOK || !strings.HasPrefix(body, "GET /x") {
				t.Errorf("the answer is %d %q", status, body)
			}
			if _, body := get(t, url+"/env?name=PORT"); name == "both" && body != traffic {
				t.Errorf("PORT is %q, want %s", body, traffic)
			}
		})
	}
}

// TestAdapterStreams: the invoke mode has responses streamed, whatever the function's specification says.
func TestAdapterStreams(t *testing.T) {
	t.Parallel()
	rest, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer rest.Close()
	l := shimtest.Start(t, shimtest.Function{Shim: build(t), Dir: t.TempDir(), Spec: self(t, "port"), Env: []string{"AWS_LWA_INVOKE_MODE=response_stream"}})
	<-l.Session.Ready()
	answer, err := http.Get(l.Gateway(t, lambdahttp.FunctionURL).URL + "/first?then=" + rest.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	first := make([]byte, len("first"))
	if _, err := io.ReadFull(answer.Body, first); err != nil || string(first) != "first" {
		t.Fatalf("the answer is %q, %v", first, err)
	}
	conn, err := rest.Accept() // until now the server waits
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if more, err := io.ReadAll(answer.Body); err != nil || string(more) != " last" {
		t.Errorf("the rest of the answer is %q, %v", more, err)
	}
}
