package lambdaruntime_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lambdaruntime"
	"github.com/aloft-run/aloft/internal/runtimeapi"
)

func TestGuess(t *testing.T) {
	tree := fstest.MapFS{
		"CreateThumbnail.py": {}, "pkg/__init__.py": {}, "deep/mod.py": {}, "index.mjs": {}, "lib/app.js": {}, "one.rb": {}, "server": {}, "run.sh": {},
		"a.b": {}, "src/handlers/order.cjs": {},
	}
	for handler, want := range map[string]lambdaruntime.Family{
		"CreateThumbnail.handler": lambdaruntime.Python, "pkg.main": lambdaruntime.Python, "deep/mod.f": lambdaruntime.Python, "deep.mod.f": lambdaruntime.Python,
		"index.handler": lambdaruntime.Node, "lib/app.handler": lambdaruntime.Node, "index.nested.handler": lambdaruntime.Node, "src/handlers/order.create": lambdaruntime.Node,
		"one.process": lambdaruntime.Ruby, "one.Klass.process": lambdaruntime.Ruby,
		"com.example.Handler::handleRequest": lambdaruntime.Java,
		"./server":                           "", "node index.js": "", "run.sh": "", "server": "", "missing.handler": "", "a.b": "", "../x.y": "", "gunicorn app:app": "", "": "",
	} {
		if got, ok := lambdaruntime.Guess(handler, tree); got != want || ok != (want != "") {
			t.Errorf("%q is of %q, %v; want %q", handler, got, ok, want)
		}
	}
}

func TestParse(t *testing.T) {
	for name, want := range map[string]lambdaruntime.Family{
		"nodejs22.x": lambdaruntime.Node, "python3.13": lambdaruntime.Python, "ruby3.4": lambdaruntime.Ruby, "java21": lambdaruntime.Java, "java8.al2": lambdaruntime.Java,
		"provided.al2023": lambdaruntime.Provided, "python": lambdaruntime.Python, "go1.x": lambdaruntime.Provided, "python3.9": lambdaruntime.Python,
	} {
		family, warning, err := lambdaruntime.Parse(name)
		if err != nil || family != want || (warning != "") != (name == "go1.x" || name == "python3.9") {
			t.Errorf("%s: %s, %q, %v", name, family, warning, err)
		}
	}
	for _, name := range []string{"", "node", "nodejs99.x", "dotnet10", "cobol"} {
		if _, _, err := lambdaruntime.Parse(name); aloft.ErrorCode(err) != aloft.Invalid {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestJavaCommand(t *testing.T) {
	tree := fstest.MapFS{"target/a.jar": {}, "target/dependency/b.jar": {}, "web/build/libs/c.jar": {}}
	got := strings.Join(lambdaruntime.JavaHandler{Files: tree, Dir: "/var/task", Layers: "/opt", Handler: "com.example.Hello::shout", Memory: 512}.Command(), " ")
	want := "-XX:MaxHeapSize=445644k -cp /var/task:/var/task/lib/*:/var/task/target/*:/var/task/target/dependency/*:/var/task/web/build/libs/*:/var/task/.lambda-java/*:/opt/java/lib/* " +
		"com.amazonaws.services.lambda.runtime.api.client.AWSLambda com.example.Hello::shout"
	if !strings.HasPrefix(got, "java ") || !strings.HasSuffix(got, want) {
		t.Errorf("%s\nwant … %s", got, want)
	}
}

// instance is a runtime of a family that runs a handler.
type instance struct {
	*runtimeapi.Session
	mu  sync.Mutex
	out bytes.Buffer
}

func (i *instance) Write(b []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.out.Write(b)
}

func (i *instance) said() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.out.String()
}

// prints waits until the runtime has printed text: what it prints and what it answers come by different ways.
func (i *instance) prints(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(i.said(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it printed %q, not %q", i.said(), text)
		}
	}
}

func start(t *testing.T, family lambdaruntime.Family, handler string, files map[string]string) *instance {
	t.Helper()
	dir, clients := t.TempDir(), t.TempDir()
	for name, text := range files {
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755), os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := lambdaruntime.Install(clients); err != nil {
		t.Fatal(err)
	}
	command, get := lambdaruntime.Command(family, clients)
	if _, err := exec.LookPath(command[0]); err != nil {
		t.Skipf("needs %s: %s", command[0], get)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	i := &instance{Session: runtimeapi.Serve(l)}
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, i, i
	cmd.Env = append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+l.Addr().String(), "_HANDLER="+handler, "LAMBDA_TASK_ROOT="+dir, "AWS_LAMBDA_FUNCTION_NAME=shop-create")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		i.Close()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	select {
	case <-i.Ready():
	case <-ended:
		t.Fatalf("it ended at once:\n%s", i.said())
	}
	return i
}

func (i *instance) invoke(t *testing.T, event string) *runtimeapi.Reply {
	t.Helper()
	call := &runtimeapi.Call{ID: "id-1", Payload: []byte(event), Deadline: time.Now().Add(time.Minute), ARN: "arn:x", ClientContext: `{"custom":{"a":1}}`}
	reply, err := i.Invoke(t.Context(), call)
	if err != nil {
		t.Fatal(err, i.said())
	}
	return reply
}

// answers checks a reply against JSON.
func (i *instance) answers(t *testing.T, event, want string) {
	t.Helper()
	reply := i.invoke(t, event)
	var a, b any
	if reply.Failure != nil || json.Unmarshal(reply.Payload, &a) != nil || json.Unmarshal([]byte(want), &b) != nil {
		t.Errorf("%s is answered %s, %+v\n%s", event, reply.Payload, reply.Failure, i.said())
		return
	}
	if x, y := mustJSON(a), mustJSON(b); x != y {
		t.Errorf("%s is answered %s, want %s", event, x, y)
	}
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// fails checks that an event makes the handler fail.
func (i *instance) fails(t *testing.T, event, kind, message string) {
	t.Helper()
	reply := i.invoke(t, event)
	var said struct{ ErrorMessage, ErrorType string }
	if reply.Failure == nil || json.Unmarshal(reply.Failure.Payload, &said) != nil || reply.Failure.Type != kind || !strings.Contains(said.ErrorMessage, message) {
		t.Errorf("%s is answered %s, %+v", event, reply.Payload, reply.Failure)
		if reply.Failure != nil {
			t.Logf("%s", reply.Failure.Payload)
		}
	}
}

func TestNode(t *testing.T) {
	i := start(t, lambdaruntime.Node, "src/index.handler", map[string]string{"src/index.mjs": `
export const handler = async (event, context) => {
  if (event === 'fail') throw new TypeError('no such thing')
  if (event === 'text') { console.log('one\ntwo'); throw 'plain text' }
  if (event === 'nothing') return
  return { event, id: context.awsRequestId, name: context.functionName, custom: context.clientContext.custom, left: context.getRemainingTimeInMillis() > 1000 }
}`})
	i.answers(t, `"hé🎉"`, `{"event":"hé🎉","id":"id-1","name":"shop-create","custom":{"a":1},"left":true}`)
	i.answers(t, `"nothing"`, `null`)
	i.fails(t, `"fail"`, "TypeError", "no such thing")
	i.fails(t, `"text"`, "string", "plain text")
	i.prints(t, "\tINFO\tone\rtwo\n")
}

func TestNodeCallback(t *testing.T) {
	i := start(t, lambdaruntime.Node, "index.handler", map[string]string{"index.js": `
exports.handler = (event, context, callback) => setTimeout(() => event === 1 ? callback(null, { ok: true }) : callback(new RangeError('far')), 5)`})
	i.answers(t, `1`, `{"ok":true}`)
	i.fails(t, `2`, "RangeError", "far")
}

func TestNodeStreams(t *testing.T) {
	i := start(t, lambdaruntime.Node, "index.handler", map[string]string{"index.mjs": `
export const handler = awslambda.streamifyResponse(async (event, out, context) => {
  if (event === 'early') throw new Error('before the first byte')
  out = awslambda.HttpResponseStream.from(out, { statusCode: 201, headers: { 'x-a': 'b' } })
  out.write('one ')
  await new Promise(done => setTimeout(done, 5))
  out.write('two')
  if (event === 'late') throw new Error('in the middle')
  out.end()
})`})
	for _, event := range []string{`"fine"`, `"late"`} {
		reply := i.invoke(t, event)
		if reply.Stream == nil || reply.ContentType != "application/vnd.awslambda.http-integration-response" {
			t.Fatalf("no stream: %+v", reply)
		}
		body, err := io.ReadAll(reply.Stream)
		if want := `{"statusCode":201,"headers":{"x-a":"b"}}` + strings.Repeat("\x00", 8) + "one two"; string(body) != want {
			t.Errorf("%s: %q", event, body)
		}
		var f *runtimeapi.Failure
		if failed := errors.As(err, &f); failed != (event == `"late"`) || failed && (f.Type != "Error" || !strings.Contains(string(f.Payload), "in the middle")) {
			t.Errorf("%s: %v", event, err)
		}
	}
	i.fails(t, `"early"`, "Error", "before the first byte")
}

func TestPython(t *testing.T) {
	i := start(t, lambdaruntime.Python, "pkg/create.handler", map[string]string{"pkg/__init__.py": "", "helper.py": "x = 5", "pkg/create.py": `
import logging, helper
from decimal import Decimal
def handler(event, context):
    if event == "fail": raise ValueError("no such thing")
    if event == "odd": return object()
    if event == "log": logging.warning("careful")
    return {"event": event, "id": context.aws_request_id, "name": context.function_name, "custom": context.client_context.custom,
            "left": context.get_remaining_time_in_millis() > 1000, "n": Decimal("1.5"), "x": helper.x}
`})
	i.answers(t, `"hé🎉"`, `{"event":"hé🎉","id":"id-1","name":"shop-create","custom":{"a":1},"left":true,"n":1.5,"x":5}`)
	i.answers(t, `"log"`, `{"event":"log","id":"id-1","name":"shop-create","custom":{"a":1},"left":true,"n":1.5,"x":5}`)
	i.fails(t, `"fail"`, "ValueError", "no such thing")
	i.fails(t, `"odd"`, "Runtime.MarshalError", "not JSON serializable")
	i.prints(t, "[WARNING]\t")
	i.prints(t, "\tcareful\n")
}

func TestRuby(t *testing.T) {
	i := start(t, lambdaruntime.Ruby, "app.Shop.create", map[string]string{"app.rb": `
module Shop
  def self.create(event:, context:)
    raise ArgumentError, 'no such thing' if event == 'fail'
    { event: event, id: context.aws_request_id, left: context.get_remaining_time_in_millis > 1000 }
  end
end
`})
	i.answers(t, `"hé"`, `{"event":"hé","id":"id-1","left":true}`)
	i.fails(t, `"fail"`, "Function<ArgumentError>", "no such thing")
}

func TestWhatCannotBeLoaded(t *testing.T) {
	for _, c := range []struct {
		family              lambdaruntime.Family
		handler, file, text string
		kind                string
	}{
		{lambdaruntime.Node, "missing.handler", "a.mjs", "", "Runtime.ImportModuleError"},
		{lambdaruntime.Node, "a.other", "a.mjs", "export const handler = 1", "Runtime.HandlerNotFound"},
		{lambdaruntime.Node, "a.handler", "a.mjs", "import 'no-such-package'", "Runtime.ImportModuleError"},
		{lambdaruntime.Node, "a.handler", "a.cjs", "exports.handler = (", "Runtime.UserCodeSyntaxError"},
		{lambdaruntime.Node, "plain", "a.mjs", "", "Runtime.MalformedHandlerName"},
		{lambdaruntime.Python, "missing.handler", "a.py", "", "Runtime.ImportModuleError"},
		{lambdaruntime.Python, "a.other", "a.py", "", "Runtime.HandlerNotFound"},
		{lambdaruntime.Python, "a.handler", "a.py", "def handler(:", "Runtime.UserCodeSyntaxError"},
		{lambdaruntime.Python, "a.handler", "a.py", "1/0", "ZeroDivisionError"},
		{lambdaruntime.Ruby, "missing.handler", "a.rb", "", "Runtime.ImportModuleError"},
		{lambdaruntime.Ruby, "a.other", "a.rb", "", "Runtime.HandlerNotFound"},
	} {
		i := start(t, c.family, c.handler, map[string]string{c.file: c.text})
		if f := i.InitFailure(); f == nil || f.Type != c.kind {
			t.Errorf("%s %s: %+v, want %s\n%s", c.family, c.handler, f, c.kind, i.said())
		}
	}
}
