// Package shimtest runs the shim as Lambda does, but on this machine: under this project's Runtime API, behind something that turns
// requests into the events of one of AWS's gateways.
package shimtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/lambdahttp"
	"github.com/aloft-run/aloft/internal/runtimeapi"
	"github.com/aloft-run/aloft/internal/shim"
	"github.com/aloft-run/aloft/internal/shim/shimbin"
)

// Build builds the shim for this machine and returns its path.
func Build(t testing.TB) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the shim runs on Linux, as Lambda does")
	}
	program, _, err := shimbin.Binary(t.Context(), runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// Trace is that of all invocations.
const Trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

// Function is what runs.
type Function struct {
	Shim    string // path; see Build
	Args    []string
	Dir     string // the task root
	Spec    shim.Spec
	Env     []string
	Timeout time.Duration // of invocations; 0 means 10 s
}

// Lambda is an environment with the shim in it.
type Lambda struct {
	Session *runtimeapi.Session
	Output  *Output
	PID     int

	timeout time.Duration
	cmd     *exec.Cmd
	ended   chan struct{}
	calls   atomic.Int64
}

// Start starts a function. It is stopped at the test's end.
func Start(t testing.TB, f Function) *Lambda {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Lambda{Session: runtimeapi.Serve(listener), Output: &Output{}, timeout: f.Timeout, ended: make(chan struct{})}
	if l.timeout == 0 {
		l.timeout = 10 * time.Second
	}
	spec, err := json.Marshal(f.Spec)
	if err != nil {
		t.Fatal(err)
	}
	l.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), f.Shim, f.Args...)
	l.cmd.Dir = f.Dir
	l.cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "LAMBDA_TASK_ROOT=" + f.Dir, "AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String(),
		"AWS_REGION=eu-central-1", "AWS_LAMBDA_FUNCTION_NAME=fn", shim.SpecVariable + "=" + string(spec),
	}, f.Env...)
	l.cmd.Stdout, l.cmd.Stderr = l.Output, l.Output
	l.cmd.WaitDelay = 5 * time.Second
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l.PID = l.cmd.Process.Pid
	go func() {
		_ = l.cmd.Wait()
		close(l.ended)
	}()
	t.Cleanup(func() { l.stop(t) })
	return l
}

// stop ends the shim as Lambda does.
func (l *Lambda) stop(t testing.TB) {
	_ = l.cmd.Process.Signal(os.Interrupt)
	select {
	case <-l.ended:
	case <-time.After(10 * time.Second):
		t.Error("the shim does not stop")
		_ = l.cmd.Process.Kill()
		<-l.ended
	}
	l.Session.Close()
	if t.Failed() {
		t.Logf("the shim wrote:\n%s", l.Output)
	}
}

// Terminate sends SIGTERM and waits for the end.
func (l *Lambda) Terminate(t testing.TB, signal os.Signal) *os.ProcessState {
	t.Helper()
	if err := l.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	return l.Wait(t)
}

// Wait waits for the shim's end.
func (l *Lambda) Wait(t testing.TB) *os.ProcessState {
	t.Helper()
	select {
	case <-l.ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the shim does not end")
	}
	return l.cmd.ProcessState
}

// Invoke invokes the function.
func (l *Lambda) Invoke(ctx context.Context, payload []byte) (*runtimeapi.Reply, error) {
	id := "request-" + strconv.FormatInt(l.calls.Add(1), 10)
	return l.Session.Invoke(ctx, &runtimeapi.Call{
		ID: id, Payload: payload, Deadline: time.Now().Add(l.timeout), ARN: "arn:aws:lambda:eu-central-1:123456789012:function:fn",
		TraceID: Trace,
	})
}

// Gateway returns a server that turns requests into events of a format for the function, one at a time as Lambda does, and what the
// function replies into responses.
func (l *Lambda) Gateway(t testing.TB, format lambdahttp.Format) *httptest.Server {
	t.Helper()
	var one sync.Mutex
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one.Lock()
		defer one.Unlock()
		if err := l.serve(format, w, r); err != nil {
			t.Logf("%s %s: %v", r.Method, r.URL, err)
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (l *Lambda) serve(format lambdahttp.Format, w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	const client = "203.0.113.7"
	from := client
	if claimed := r.Header.Get("X-Forwarded-For"); claimed != "" { // which AWS's gateways pass on
		from = claimed + ", " + client
	}
	r.Header.Set("X-Forwarded-For", from)
	r.Header.Set("X-Forwarded-Proto", "https")
	meta := &lambdahttp.Meta{RequestID: "gateway", SourceIP: client, Time: time.Now(), AccountID: "123456789012", APIID: "a1b2c3"}
	if format == lambdahttp.FunctionURL {
		meta.DomainName = "a1b2c3.lambda-url.eu-central-1.on.aws"
	}
	event, err := lambdahttp.Encode(format, r, body, meta)
	if err != nil {
		return err
	}
	reply, err := l.Invoke(context.WithoutCancel(r.Context()), event)
	if err != nil {
		return err
	}
	if reply.Failure != nil {
		return fmt.Errorf("%s: %s", reply.Failure.Type, reply.Failure.Payload)
	}
	var decoded *lambdahttp.Reply
	if reply.Stream != nil {
		defer func() { _ = reply.Stream.Close() }()
		decoded, err = lambdahttp.ReadStream(reply.ContentType, reply.Stream)
	} else {
		decoded, err = lambdahttp.DecodeReply(format, r.Method, reply.Payload)
	}
	if err != nil {
		return err
	}
	maps.Copy(w.Header(), decoded.Header)
	if decoded.Length >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(decoded.Length, 10))
	}
	w.WriteHeader(decoded.Status)
	if r.Method == http.MethodHead {
		return nil
	}
	return pass(w, decoded.Body)
}

// pass passes a body on while it comes; one that breaks off breaks the connection.
func pass(w http.ResponseWriter, body io.Reader) error {
	flush := http.NewResponseController(w)
	b := make([]byte, 32<<10)
	for {
		n, err := body.Read(b)
		_, _ = w.Write(b[:n])
		_ = flush.Flush()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			panic(http.ErrAbortHandler)
		}
	}
}

// Output is what a process wrote.
type Output struct {
	mu   sync.Mutex
	data bytes.Buffer
}

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.data.Write(p)
}

// String returns all of it.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.data.String()
}

// Await waits until a text was written.
func (o *Output) Await(t testing.TB, text string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !strings.Contains(o.String(), text); {
		if time.Now().After(end) {
			t.Fatalf("%q was not written, but:\n%s", text, o)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
