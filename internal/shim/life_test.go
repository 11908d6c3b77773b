package shim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lambdahttp"
	"github.com/aloft-run/aloft/internal/shim"
	"github.com/aloft-run/aloft/internal/shim/shimtest"
)

// TestInitFailures: why a server is not ready is what those who invoke the function are told.
func TestInitFailures(t *testing.T) {
	bootstrap := build(t)
	mute := self(t, "mute")
	mute.BootTimeout = aloft.Duration(200 * time.Millisecond)
	sick := self(t, "port")
	sick.HealthPath, sick.BootTimeout = "/nothing here", aloft.Duration(500*time.Millisecond)
	for name, c := range map[string]struct {
		spec shim.Spec
		want []string
	}{
		"crash":   {self(t, "crash"), []string{"Runtime.ExitError", "ended before it was ready: exit status 3", "one line before the end\nno database"}},
		"mute":    {mute, []string{"Runtime.InitError", "did not take connections within 200ms: it listens on nothing", "$PORT"}},
		"missing": {shim.Spec{Command: []string{"./absent"}}, []string{"Runtime.InitError", "./absent cannot be started"}},
		"no path": {shim.Spec{Command: []string{"lua-of-old", "x.lua"}}, []string{"Runtime.InitError", "lua-of-old is not in PATH"}},
		"sick":    {sick, []string{"Runtime.InitError", "was not healthy within 500ms: GET /nothing here"}},
		"nothing": {shim.Spec{}, []string{"Runtime.InitError", "neither a command nor files"}},
		"files":   {shim.Spec{Static: []shim.Static{{Root: "absent"}}}, []string{"Runtime.InitError", "absent"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := shimtest.Start(t, shimtest.Function{Shim: bootstrap, Dir: t.TempDir(), Spec: c.spec})
			<-l.Session.Ready()
			f := l.Session.InitFailure()
			if f == nil {
				t.Fatal("the initialisation did not fail")
			}
			var said struct{ ErrorType, ErrorMessage string }
			if err := json.Unmarshal(f.Payload, &said); err != nil || said.ErrorType != f.Type {
				t.Fatalf("%s %v", f.Payload, err)
			}
			for _, want := range c.want {
				if !strings.Contains(said.ErrorType+" "+said.ErrorMessage, want) {
					t.Errorf("%q is not in %s %q", want, said.ErrorType, said.ErrorMessage)
				}
			}
			if state := l.Wait(t); state.ExitCode() != 1 {
				t.Errorf("the shim ended with %s", state)
			}
		})
	}
}

// TestTerminated: the server hears of the environment's end, since the shim is an extension as well.
func TestTerminated(t *testing.T) {
	l := shimtest.Start(t, shimtest.Function{Shim: build(t), Dir: t.TempDir(), Spec: self(t, "port")})
	l.Session.Await([]string{"aloft"})
	<-l.Session.Ready()
	if state := l.Terminate(t, syscall.SIGTERM); state.ExitCode() != 0 {
		t.Errorf("the shim ended with %s", state)
	}
	if !strings.Contains(l.Output.String(), "the server was asked to end") {
		t.Errorf("the server was not told:\n%s", l.Output)
	}
}

// TestCrashLoop: when a server ends each time, the shim ends with it, once requests have their answer, so that Lambda makes another
// environment; the log says why.
func TestCrashLoop(t *testing.T) {
	dir := t.TempDir()
	spec := self(t, "port")
	script := "#!/bin/sh\n[ -e gone ] && { echo 'the disk is gone'; exit 4; }\nexec " + strings.Join(spec.Command, " ") + "\n"
	if err := os.WriteFile(filepath.Join(dir, "server"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	spec.Command = []string{"./server"}
	l := shimtest.Start(t, shimtest.Function{Shim: build(t), Dir: dir, Spec: spec, Timeout: 20 * time.Second})
	<-l.Session.Ready()
	g := l.Gateway(t, lambdahttp.FunctionURL)
	if status, _ := get(t, g.URL+"/"); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	if err := os.WriteFile(filepath.Join(dir, "gone"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if status, body := get(t, g.URL+"/exit"); status != http.StatusBadGateway || strings.Contains(body, "disk") {
			t.Errorf("the answer is %d %s", status, body)
		}
	}
	l.Output.Await(t, "./server ended before it was ready: exit status 4; its last lines:\nthe disk is gone")
	if state := l.Wait(t); state.ExitCode() != 1 {
		t.Errorf("the shim ended with %s", state)
	}
	l.Output.Await(t, "the server does not start any more: this environment ends, for another")
}

// TestFiles serves files without a server, and beside one.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"public/index.html": "home", "public/app.js": strings.Repeat("let x = 1;\n", 100), "public/404.html": "lost"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	bootstrap := build(t)
	beside := self(t, "port")
	beside.Static = []shim.Static{{Prefix: "/assets", Root: "public"}}
	for name, c := range map[string]struct {
		spec shim.Spec
		want map[string]string
	}{
		"alone":    {shim.Spec{Static: []shim.Static{{Root: "public"}}}, map[string]string{"/": "200 home", "/app.js": "200 let x", "/none": "404 lost"}},
		"streamed": {shim.Spec{Static: []shim.Static{{Root: "public"}}, Stream: true}, map[string]string{"/": "200 home", "/app.js": "200 let x", "/none": "404 lost"}},
		"beside":   {beside, map[string]string{"/": "200 GET /", "/assets/app.js": "200 let x", "/assets/none": "200 GET /assets/none", "/assetsx": "200 GET /assetsx"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := shimtest.Start(t, shimtest.Function{Shim: bootstrap, Dir: dir, Spec: c.spec})
			<-l.Session.Ready()
			g := l.Gateway(t, lambdahttp.FunctionURL)
			for target, want := range c.want {
				status, body := get(t, g.URL+target)
				if got := http.StatusText(status); !strings.HasPrefix(strings.Join([]string{want[:3], body}, " "), want) || got != http.StatusText(number(want)) {
					t.Errorf("%s is answered %d %.40q", target, status, body)
				}
			}
		})
	}
}

func number(want string) int {
	return int(want[0]-'0')*100 + int(want[1]-'0')*10 + int(want[2]-'0')
}

// TestTakesOver runs a server in place of the runtime that the shim is started in front of.
func TestTakesOver(t *testing.T) {
	l := shimtest.Start(t, shimtest.Function{Shim: build(t), Dir: t.TempDir(), Spec: self(t, "port"), Args: []string{"false"}})
	<-l.Session.Ready()
	if status, _ := get(t, l.Gateway(t, lambdahttp.APIGatewayV1).URL+"/"); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
}

// TestInterpreters runs servers that are no programs of ours.
func TestInterpreters(t *testing.T) {
	bootstrap := build(t)
	for name, c := range map[string]struct{ file, text, program string }{
		"python": {"server", "#!/usr/bin/env python3\nimport http.server, os\nhttp.server.ThreadingHTTPServer(('', 0), http.server.SimpleHTTPRequestHandler).serve_forever()\n", "python3"},
		"node":   {"server", "#!/usr/bin/env node\nrequire('http').createServer((q, r) => r.end('node ' + q.url + ' server')).listen(0)\n", "node"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(c.program); err != nil {
				t.Skip("install " + c.program)
			}
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.text), 0o755); err != nil {
				t.Fatal(err)
			}
			l := shimtest.Start(t, shimtest.Function{Shim: bootstrap, Dir: dir, Spec: shim.Spec{Command: []string{"./server"}}, Timeout: time.Minute})
			<-l.Session.Ready()
			g := l.Gateway(t, lambdahttp.APIGatewayV2)
			for range 2 {
				if status, body := get(t, g.URL+"/"); status != http.StatusOK || !strings.Contains(body, "server") {
					t.Errorf("the answer is %d %q", status, body)
				}
			}
		})
	}
}

// TestKilledShim: a server does not outlive its shim, whose port it would hold.
func TestKilledShim(t *testing.T) {
	t.Parallel()
	l := shimtest.Start(t, shimtest.Function{Shim: build(t), Dir: t.TempDir(), Spec: self(t, "port")})
	<-l.Session.Ready()
	pid := serverOf(t, l)
	l.Terminate(t, os.Kill)
	for end := time.Now().Add(10 * time.Second); syscall.Kill(pid, 0) == nil; time.Sleep(5 * time.Millisecond) {
		if state, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); strings.Contains(string(state), ") Z ") {
			return // ended, but nobody has asked how
		}
		if time.Now().After(end) {
			t.Fatal("the server outlives its shim")
		}
	}
}

// serverOf is the process of a shim's server.
func serverOf(t *testing.T, l *shimtest.Lambda) int {
	t.Helper()
	children, err := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", l.PID))
	if err != nil {
		t.Skipf("needs Linux's /proc: %v", err)
	}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", l.PID))
	for _, task := range tasks {
		more, _ := os.ReadFile(task) // a thread may have ended
		children = append(children, more...)
	}
	fields := strings.Fields(string(children))
	if len(fields) == 0 {
		t.Fatal("no server was started")
	}
	pid, err := strconv.Atoi(fields[0])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
