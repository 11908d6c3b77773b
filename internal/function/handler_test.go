package function_test

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/process"
	"github.com/aloft-run/aloft/internal/function"
	"github.com/aloft-run/aloft/internal/runtimeapi"
)

// smallRuntime is a Lambda runtime. What it does with an event is the event's own text.
const smallRuntime = `
import json, os, sys, time, urllib.request
base = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/"
def send(path, body, kind=""):
    urllib.request.urlopen(urllib.request.Request(base + path, body, {"Lambda-Runtime-Function-Error-Type": kind}), timeout=60)
if len(sys.argv) > 1 and sys.argv[1] == "broken":
    send("init/error", json.dumps({"errorMessage": "no module named x", "errorType": "ImportError"}).encode(), "Runtime.ImportModuleError")
    sys.exit(1)
while True:
    with urllib.request.urlopen(base + "invocation/next") as r:
        id, event = r.headers["Lambda-Runtime-Aws-Request-Id"], r.read().decode()
    if event == "exit": os._exit(7)
    if event == "hang": time.sleep(60)
    if event == "wait": time.sleep(0.2)
    if event == "print": sys.stdout.write("printed for %s\n" % id); sys.stderr.write("without an end"); sys.stdout.flush(); sys.stderr.flush()
    if event == "flood": sys.stdout.write(1000 * "0123456789\n"); sys.stdout.flush()
    if event == "fail": send("invocation/" + id + "/error", b'{"errorMessage":"no"}', "ValueError")
    else: send("invocation/" + id + "/response", ("%s by %d" % (event, os.getpid())).encode())
`

// handler returns the options of a handler function.
func handler(t *testing.T, log func(aloft.LogLine), args ...string) function.Options {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("needs python3: apt-get install python3")
	}
	options := web(process.New(""), append([]string{python, "-c", smallRuntime}, args...)...)
	options.Function = aloft.Function{Name: "create", Kind: aloft.Handler, Memory: 128}
	options.Log = log
	return options
}

func invoke(t *testing.T, g *function.Gate, id, event string) string {
	t.Helper()
	reply, err := g.Invoke(t.Context(), &runtimeapi.Call{ID: id, Payload: []byte(event)})
	switch {
	case err != nil:
		t.Error(err)
		return ""
	case reply.Failure != nil:
		return reply.Failure.Type + " " + string(reply.Failure.Payload)
	}
	return string(reply.Payload)
}

func TestHandlers(t *testing.T) {
	var mu sync.Mutex
	var lines []string
	options := handler(t, func(l aloft.LogLine) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, l.Text)
	})
	options.Function.Timeout = aloft.Duration(500 * time.Millisecond)
	p, g := start(t, options)
	first := invoke(t, g, "id-1", "hello")
	if again := invoke(t, g, "id-2", "hello"); !strings.HasPrefix(first, "hello by ") || again != first {
		t.Errorf("answers %q, %q", first, again)
	}
	if got := invoke(t, g, "id-3", "fail"); got != `ValueError {"errorMessage":"no"}` {
		t.Errorf("fail: %q", got)
	}
	if got := invoke(t, g, "id-4", "hang"); !strings.HasPrefix(got, "Sandbox.Timedout") || !strings.Contains(got, "RequestId: id-4 Error: Task timed out after 0.50 seconds") {
		t.Errorf("hang: %q", got)
	}
	if got := invoke(t, g, "id-5", "hello"); !strings.HasPrefix(got, "hello by ") || got == first {
		t.Errorf("after one that hung: %q, first %q", got, first)
	}
	if got := invoke(t, g, "id-6", "exit"); !strings.HasPrefix(got, "Runtime.ExitError") || !strings.Contains(got, "exit status 7") {
		t.Errorf("exit: %q", got)
	}
	if got := invoke(t, g, "id-7", "hello"); !strings.HasPrefix(got, "hello by ") {
		t.Errorf("after one that ended: %q", got)
	}
	eventually(t, "nothing is in flight", func() bool { return p.InFlight() == 0 })
	mu.Lock()
	defer mu.Unlock()
	log := strings.Join(lines, "\n")
	for _, want := range []string{"START RequestId: id-1 Version: 1", "END RequestId: id-1", "REPORT RequestId: id-1\tDuration: ", "\tMemory Size: 128 MB\tMax Memory Used: ", "Init Duration: "} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
	if n := strings.Count(log, "REPORT"); n != 7 {
		t.Errorf("%d reports of 7 invocations:\n%s", n, log)
	}
}

// TestWatch: what a function prints is between the lines of its call, and the end of it can be had with the reply.
func TestWatch(t *testing.T) {
	_, g := start(t, handler(t, func(aloft.LogLine) {}))
	for n := range 50 {
		id := fmt.Sprint("id-", n)
		w := function.NewWatch(true)
		if _, err := g.Watch(t.Context(), &runtimeapi.Call{ID: id, Payload: []byte("print")}, w); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(w.Tail(t.Context())), "\n")
		if len(lines) != 6 || lines[0] != "START RequestId: "+id+" Version: 1" || lines[1] != "printed for "+id || lines[2] != "without an end" ||
			lines[3] != "END RequestId: "+id || !strings.HasPrefix(lines[4], "REPORT RequestId: "+id) || w.Release() != 1 {
			t.Fatalf("call %d of v%d: %q", n, w.Release(), lines)
		}
	}
	w := function.NewWatch(true)
	if _, err := g.Watch(t.Context(), &runtimeapi.Call{ID: "id", Payload: []byte("flood")}, w); err != nil {
		t.Fatal(err)
	}
	if tail := string(w.Tail(t.Context())); len(tail) != function.TailSize || !strings.Contains(tail, "789\n0123") || !strings.Contains(tail, "\nREPORT ") {
		t.Errorf("%d bytes: %q", len(tail), tail)
	}
}

// TestHandlersScale: each instance works on one call at a time, so more calls at once are more instances.
func TestHandlersScale(t *testing.T) {
	options := handler(t, func(aloft.LogLine) {})
	options.Function.Max = 4
	p, g := start(t, options)
	var mu sync.Mutex
	by := map[string]bool{}
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			_, pid, _ := strings.Cut(invoke(t, g, fmt.Sprint("id-", i), "wait"), " by ")
			mu.Lock()
			defer mu.Unlock()
			by[pid] = true
		})
	}
	wg.Wait()
	if len(by) < 2 || len(by) > 4 || len(p.Instances()) > 4 {
		t.Errorf("%d instances answered, %d are there", len(by), len(p.Instances()))
	}
}

func TestHandlersThatDoNotStart(t *testing.T) {
	err := fails(t, handler(t, func(aloft.LogLine) {}, "broken"))
	if !strings.Contains(err.Error(), "create cannot be initialised: Runtime.ImportModuleError: no module named x") {
		t.Errorf("a runtime that gives up: %v", err)
	}
	silent := handler(t, func(aloft.LogLine) {})
	silent.Function.BootTimeout = aloft.Duration(300 * time.Millisecond)
	silent.Prepare = func(string, int) (engine.Spec, func(), error) {
		return engine.Spec{Command: []string{"/bin/sleep", "60"}, Env: []string{"PATH=/bin"}}, nil, nil
	}
	if err := fails(t, silent); !strings.Contains(err.Error(), "did not ask for work within 300ms") {
		t.Errorf("one that never asks: %v", err)
	}
}

// TestCallsGoOn: a function is not told that its caller has left.
func TestCallsGoOn(t *testing.T) {
	p, g := start(t, handler(t, func(aloft.LogLine) {}))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	reply, err := g.Invoke(ctx, &runtimeapi.Call{ID: "id", Payload: []byte("wait")})
	if err != nil || !strings.HasPrefix(string(reply.Payload), "wait by ") {
		t.Errorf("%v, %v", reply, err)
	}
	eventually(t, "nothing is in flight", func() bool { return p.InFlight() == 0 })
}
