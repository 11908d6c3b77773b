package runtimeapi_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/runtimeapi"
)

// bench is a session and a runtime that is played by the test.
type bench struct {
	*runtimeapi.Session
	addr   string
	client *http.Client
}

func newBench(t *testing.T) *bench {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{Session: runtimeapi.Serve(l), addr: l.Addr().String(), client: &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(func() {
		b.Close()
		b.client.CloseIdleConnections()
	})
	return b
}

// send sends a request as a runtime does and returns the answer with its body.
func (b *bench) send(t *testing.T, method, path string, body io.Reader, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, "http://"+b.addr+path, body)
	if err != nil {
		t.Error(err)
		return &http.Response{Header: http.Header{}}, ""
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := b.client.Do(r)
	if err != nil { // the session has ended: status 0
		return &http.Response{Header: http.Header{}}, err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return &http.Response{Header: http.Header{}}, err.Error()
	}
	return res, string(text)
}

const invocation = "/2018-06-01/runtime/invocation/"

// runtime answers calls with answer until the session ends.
func (b *bench) runtime(t *testing.T, answer func(id, event string)) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			res, event := b.send(t, "GET", invocation+"next", nil)
			if res.StatusCode != http.StatusOK {
				return
			}
			answer(res.Header.Get("Lambda-Runtime-Aws-Request-Id"), event)
		}
	}()
	t.Cleanup(func() { b.Close(); <-done })
}

func (b *bench) invoke(t *testing.T, id, event string) *runtimeapi.Reply {
	t.Helper()
	reply, err := b.Invoke(t.Context(), &runtimeapi.Call{ID: id, Payload: []byte(event), Deadline: time.Now().Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

func TestBufferedReplies(t *testing.T) {
	b := newBench(t)
	b.runtime(t, func(id, event string) {
		if res, text := b.send(t, "POST", invocation+id+"/response", strings.NewReader("re: "+event)); res.StatusCode != 0 && (res.StatusCode != http.StatusAccepted || !strings.Contains(text, "OK")) {
			t.Errorf("the response was answered %s %s", res.Status, text)
		}
		if res, _ := b.send(t, "POST", invocation+id+"/response", strings.NewReader("again")); res.StatusCode != http.StatusBadRequest && res.StatusCode != 0 {
			t.Errorf("a second response was answered %s", res.Status)
		}
	})
	<-b.Ready()
	large := strings.Repeat("x", 5<<20)
	for i, event := range []string{"{}", "", "two", large} {
		if reply := b.invoke(t, fmt.Sprint("id-", i), event); string(reply.Payload) != "re: "+event || reply.Failure != nil || reply.Stream != nil {
			t.Errorf("%.20q is answered %.20q, %v", event, reply.Payload, reply.Failure)
		}
	}
}

func TestHeadersOfACall(t *testing.T) {
	b := newBench(t)
	seen := make(chan http.Header, 1)
	go func() {
		res, _ := b.send(t, "GET", invocation+"next", nil)
		seen <- res.Header
		b.send(t, "POST", invocation+"a-b/response", strings.NewReader("{}"))
	}()
	deadline := time.UnixMilli(1_700_000_000_123)
	call := runtimeapi.Call{ID: "a-b", ARN: "arn:aws:lambda:x", Deadline: deadline, TraceID: "Root=1\r\nEvil: yes", ClientContext: `{"a":1}`}
	if _, err := b.Invoke(t.Context(), &call); err != nil {
		t.Fatal(err)
	}
	h := <-seen
	for name, want := range map[string]string{
		"Lambda-Runtime-Aws-Request-Id": "a-b", "Lambda-Runtime-Deadline-Ms": "1700000000123", "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:x",
		"Lambda-Runtime-Trace-Id": "Root=1Evil: yes", "Lambda-Runtime-Client-Context": `{"a":1}`, "Lambda-Runtime-Cognito-Identity": "", "Evil": "",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestFailures(t *testing.T) {
	b := newBench(t)
	b.runtime(t, func(id, event string) {
		switch event {
		case "plain":
			b.send(t, "POST", invocation+id+"/error", strings.NewReader(`{"errorMessage":"no","errorType":"E"}`), "Lambda-Runtime-Function-Error-Type", "Handler.E")
		case "mute":
			b.send(t, "POST", invocation+id+"/error", nil)
		case "too large":
			res, _ := b.send(t, "POST", invocation+id+"/response", bytes.NewReader(make([]byte, runtimeapi.MaxPayload+1)))
			if res.StatusCode != http.StatusRequestEntityTooLarge && res.StatusCode != 0 { // 0: the session has ended
				t.Errorf("too large a response is answered %s", res.Status)
			}
		case "too large, in chunks":
			b.send(t, "POST", invocation+id+"/response", io.MultiReader(bytes.NewReader(make([]byte, runtimeapi.MaxPayload)), strings.NewReader("x")))
		}
	})
	for event, want := range map[string]string{
		"plain": "Handler.E", "mute": "Unhandled", "too large": "Function.ResponseSizeTooLarge", "too large, in chunks": "Function.ResponseSizeTooLarge",
	} {
		reply := b.invoke(t, "id", event)
		if reply.Failure == nil || reply.Failure.Type != want || !strings.Contains(string(reply.Failure.Payload), "errorMessage") {
			t.Errorf("%s: %+v, want %s", event, reply, want)
		}
	}
}

func TestStreams(t *testing.T) {
	b := newBench(t)
	next := make(chan string)
	b.runtime(t, func(id, event string) {
		body, in := io.Pipe()
		go func() {
			for text := range next {
				_, _ = io.WriteString(in, text)
			}
			_ = in.Close()
		}()
		r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPost, "http://"+b.addr+invocation+id+"/response", body)
		if err != nil {
			t.Error(err)
			return
		}
		r.Header.Set("Lambda-Runtime-Function-Response-Mode", "streaming")
		r.Header.Set("Content-Type", "text/x")
		r.Trailer = http.Header{}
		if event == "fails" {
			r.Trailer.Set("Lambda-Runtime-Function-Error-Type", "Late")
			r.Trailer.Set("Lambda-Runtime-Function-Error-Body", base64.StdEncoding.EncodeToString([]byte(`{"errorMessage":"late"}`)))
		}
		res, err := b.client.Do(r)
		if err != nil {
			t.Error(err)
			return
		}
		_ = res.Body.Close()
	})
	for _, event := range []string{"works", "fails"} {
		reply := b.invoke(t, "id", event)
		if reply.Stream == nil || reply.ContentType != "text/x" {
			t.Fatalf("no stream: %+v", reply)
		}
		for _, text := range []string{"one", "two"} { // each is there before the next is sent
			next <- text
			got := make([]byte, len(text))
			if _, err := io.ReadFull(reply.Stream, got); err != nil || string(got) != text {
				t.Errorf("read %q, %v; want %q", got, err, text)
			}
		}
		close(next)
		_, err := io.ReadAll(reply.Stream)
		var f *runtimeapi.Failure
		if failed := errors.As(err, &f); failed != (event == "fails") || failed && (f.Type != "Late" || !strings.Contains(string(f.Payload), "late")) {
			t.Errorf("%s: the stream ends with %v", event, err)
		}
		next = make(chan string)
	}
}

// TestAStreamNobodyReads: the function may finish, and is asked again.
func TestAStreamNobodyReads(t *testing.T) {
	b := newBench(t)
	b.runtime(t, func(id, _ string) {
		b.send(t, "POST", invocation+id+"/response", strings.NewReader(strings.Repeat("x", 1<<20)), "Lambda-Runtime-Function-Response-Mode", "streaming")
	})
	for range 2 {
		reply := b.invoke(t, "id", "")
		if err := reply.Stream.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTheEndOfAStreamNobodyReads: it does not keep the session from ending.
func TestTheEndOfAStreamNobodyReads(t *testing.T) {
	b := newBench(t)
	b.runtime(t, func(id, _ string) {
		b.send(t, "POST", invocation+id+"/response", strings.NewReader(strings.Repeat("x", 1<<20)), "Lambda-Runtime-Function-Response-Mode", "streaming")
	})
	reply := b.invoke(t, "id", "")
	b.Close()
	if _, err := io.ReadAll(reply.Stream); err == nil {
		t.Error("what was cut off looks whole")
	}
}

// TestConnectionsAreBounded: a function cannot make the server hold any number of them.
func TestConnectionsAreBounded(t *testing.T) {
	b := newBench(t)
	refused := 0
	for range 200 {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", b.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, "GET /2018-06-01/ping HTTP/1.1\r\n\r\n")
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := c.Read(make([]byte, 1)); err != nil {
			refused++
		}
	}
	if refused < 100 || refused > 150 {
		t.Errorf("%d of 200 connections were refused", refused)
	}
}

func TestInitError(t *testing.T) {
	b := newBench(t)
	if b.send(t, "POST", "/2018-06-01/runtime/init/error", strings.NewReader(`{"errorMessage":"no module"}`), "Lambda-Runtime-Function-Error-Type", "Runtime.ImportModuleError"); b.InitFailure() == nil {
		t.Fatal("it was not heard")
	}
	<-b.Ready()
	if f := b.InitFailure(); f.Type != "Runtime.ImportModuleError" || !strings.Contains(string(f.Payload), "no module") {
		t.Errorf("got %+v", f)
	}
}

// TestFree: a call is over for the instance when the runtime asks for the next one, not when it answers.
func TestFree(t *testing.T) {
	b := newBench(t)
	free := make(chan struct{})
	call := &runtimeapi.Call{ID: "id", Free: func() { close(free) }}
	answered := make(chan struct{})
	proceed := make(chan struct{})
	go func() {
		b.send(t, "GET", invocation+"next", nil)
		b.send(t, "POST", invocation+"id/response", strings.NewReader("{}"))
		close(answered)
		<-proceed
		b.send(t, "GET", invocation+"next", nil)
	}()
	if _, err := b.Invoke(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	<-answered
	select {
	case <-free:
		t.Error("it is free though the runtime has not asked again")
	default:
	}
	close(proceed)
	<-free
}

func TestEnds(t *testing.T) {
	b := newBench(t)
	freed := make(chan struct{}, 2)
	call := func(id string) *runtimeapi.Call {
		return &runtimeapi.Call{ID: id, Free: func() { freed <- struct{}{} }}
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := b.Invoke(ctx, call("waits in vain")); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	<-freed
	go b.send(t, "GET", invocation+"next", nil) // takes it and never answers
	time.AfterFunc(50*time.Millisecond, b.Close)
	if _, err := b.Invoke(t.Context(), call("the instance ends")); !errors.Is(err, runtimeapi.ErrEnded) {
		t.Errorf("ended: %v", err)
	}
	<-freed
	if _, err := b.Invoke(t.Context(), call("after")); !errors.Is(err, runtimeapi.ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
}

func TestExtensions(t *testing.T) {
	b := newBench(t)
	const at = "/2020-01-01/extension/"
	res, _ := b.send(t, "POST", at+"register", strings.NewReader(`{"events":["INVOKE","SHUTDOWN"]}`), "Lambda-Extension-Name", "watch")
	id := res.Header.Get("Lambda-Extension-Identifier")
	if res.StatusCode != http.StatusOK || id == "" {
		t.Fatalf("register answers %s", res.Status)
	}
	events := make(chan string)
	ask := func() {
		_, text := b.send(t, "GET", at+"event/next", nil, "Lambda-Extension-Identifier", id)
		events <- text
	}
	go ask()
	b.runtime(t, func(id, _ string) { b.send(t, "POST", invocation+id+"/response", strings.NewReader("{}")) })
	free := make(chan struct{})
	if _, err := b.Invoke(t.Context(), &runtimeapi.Call{ID: "id-1", ARN: "arn:x", Free: func() { close(free) }}); err != nil {
		t.Fatal(err)
	}
	if e := <-events; !strings.Contains(e, `"eventType":"INVOKE"`) || !strings.Contains(e, `"requestId":"id-1"`) {
		t.Errorf("event %s", e)
	}
	select {
	case <-free:
		t.Error("it is free though the extension works on it")
	case <-time.After(20 * time.Millisecond):
	}
	go ask()
	<-free
	ended := make(chan struct{})
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		b.Shutdown(ctx, "spindown")
		close(ended)
	}()
	if e := <-events; !strings.Contains(e, `"shutdownReason":"spindown"`) {
		t.Errorf("event %s", e)
	}
	select {
	case <-ended:
		t.Error("it is not waited for the extension's end")
	case <-time.After(20 * time.Millisecond):
	}
	b.client.CloseIdleConnections() // as with its end
	<-ended
	for what, want := range map[string]int{"nobody": 403, "": 403} {
		if res, _ := b.send(t, "GET", at+"event/next", nil, "Lambda-Extension-Identifier", what); res.StatusCode != want {
			t.Errorf("an unknown extension is answered %s", res.Status)
		}
	}
	for body, name := range map[string]string{`{"events":["OTHER"]}`: "x", `[`: "x", `{}`: ""} {
		if res, _ := b.send(t, "POST", at+"register", strings.NewReader(body), "Lambda-Extension-Name", name); res.StatusCode != http.StatusBadRequest {
			t.Errorf("register %s of %q is answered %s", body, name, res.Status)
		}
	}
}

// TestAwait: the initialisation waits for the extensions that are there.
func TestAwait(t *testing.T) {
	b := newBench(t)
	b.Await([]string{"one", "two"})
	b.runtime(t, func(id, _ string) { b.send(t, "POST", invocation+id+"/response", strings.NewReader("{}")) })
	start := func(name string) {
		res, _ := b.send(t, "POST", "/2020-01-01/extension/register", strings.NewReader(`{"events":["INVOKE"]}`), "Lambda-Extension-Name", name)
		go b.send(t, "GET", "/2020-01-01/extension/event/next", nil, "Lambda-Extension-Identifier", res.Header.Get("Lambda-Extension-Identifier"))
	}
	start("two")
	for len(b.Missing()) > 1 {
		time.Sleep(time.Millisecond)
	}
	select {
	case <-b.Ready():
		t.Error("ready without an extension")
	case <-time.After(20 * time.Millisecond):
	}
	if missing := b.Missing(); len(missing) != 1 || missing[0] != "one" {
		t.Errorf("missing %q", missing)
	}
	start("one")
	<-b.Ready()
}

// TestNonsense: what is no request ends its connection, and no other.
func TestNonsense(t *testing.T) {
	b := newBench(t)
	for name, text := range map[string]string{
		"no request": "hello\r\n\r\n", "no version": "GET /\r\n\r\n", "no colon": "GET / HTTP/1.1\r\nx\r\n\r\n", "length": "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
		"negative": "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "coding": "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
		"long line": "GET /" + strings.Repeat("x", 1<<20), "many headers": "GET / HTTP/1.1\r\n" + strings.Repeat("a: b\r\n", 1<<15),
		"chunks": "POST " + invocation + "x/response HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "binary": "\x00\x01\x02\x03\n\n",
		"cut": "POST " + invocation + "x/response HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc",
	} {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", b.addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(c, text)
		_ = c.(*net.TCPConn).CloseWrite()
		if answer, err := io.ReadAll(c); err != nil && !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%s: %q, %v", name, answer, err)
		}
		_ = c.Close()
	}
	for path, want := range map[string]int{"GET /": 404, "GET /2018-06-01/x": 404, "GET " + invocation + "x/response": 404, "POST " + invocation + "x/response": 400, "POST " + invocation + "x/error": 400, "GET /2018-06-01/ping": 200} {
		method, at, _ := strings.Cut(path, " ")
		if res, _ := b.send(t, method, at, nil); res.StatusCode != want {
			t.Errorf("%s is answered %s", path, res.Status)
		}
	}
}
