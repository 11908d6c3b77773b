package runtimeapi

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// next gives the runtime its next call. To ask says also that what it answered last is done with, and first that it is
// initialised.
func (s *Session) next() answer {
	s.settle(func() {
		s.asked, s.waiting = true, true
		s.tellDone(s.answered)
	})
	select {
	case f := <-s.work:
		f.handed = time.Now()
		s.mu.Lock()
		s.waiting = false
		s.mu.Unlock()
		s.tellStart(f.Call)
		return f.handOut()
	case <-s.closed:
		return problem(403, "Shutdown", "the instance is being ended")
	}
}

// settle takes note of something, and sees what follows: that the initialisation has ended, that calls are through.
func (s *Session) settle(mark func()) {
	s.mu.Lock()
	known := func() bool { return s.asked && len(s.missing) == 0 || s.failure != nil }
	before := known()
	mark()
	if known() && !before {
		close(s.ready)
	}
	free := s.through()
	s.mu.Unlock()
	for _, f := range free {
		f.free()
	}
}

// through takes the calls off that are answered and that no extension works on any more. The caller holds s.mu.
func (s *Session) through() []*flight {
	if !s.waiting {
		return nil
	}
	for _, e := range s.extensions {
		if e.open > 0 {
			return nil
		}
	}
	free := s.answered
	s.answered = nil
	return free
}

// handOut is the answer that carries a call.
func (f *flight) handOut() answer {
	var h strings.Builder
	header := func(name, value string) {
		if value != "" {
			h.WriteString("Lambda-Runtime-" + name + ": " + plain(value) + "\r\n")
		}
	}
	header("Aws-Request-Id", f.ID)
	header("Deadline-Ms", strconv.FormatInt(f.Deadline.UnixMilli(), 10))
	header("Invoked-Function-Arn", f.ARN)
	header("Trace-Id", f.TraceID)
	header("Client-Context", f.ClientContext)
	header("Cognito-Identity", f.CognitoIdentity)
	return answer{status: 200, head: h.String(), body: f.Payload}
}

// plain keeps a value within its header.
func plain(value string) string {
	if strings.ContainsAny(value, "\r\n\x00") {
		return strings.NewReplacer("\r", "", "\n", "", "\x00", "").Replace(value)
	}
	return value
}

// take finds a call that waits for its answer. It can be taken once.
func (s *Session) take(id string) *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.flights[id]
	if f == nil {
		return nil
	}
	delete(s.flights, id)
	if s.ended {
		return nil
	}
	s.answered = append(s.answered, f)
	return f
}

// integrationType is of replies that are always streamed: AWS's client for Go says no more of them.
const integrationType = "application/vnd.awslambda.http-integration-response"

func badID() answer { return problem(400, "InvalidRequestID", "no such invocation is under way") }

// response takes the answer of a function.
func (s *Session) response(r *request, id string, body io.Reader) answer {
	if strings.EqualFold(r.headers.responseMode, "streaming") || r.headers.contentType == integrationType {
		return s.stream(r, id, body)
	}
	payload, err := payload(r, body)
	f := s.take(id)
	switch {
	case f == nil:
		return badID()
	case errors.Is(err, errTooLarge):
		message := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", MaxPayload)
		a := problem(413, "Function.ResponseSizeTooLarge", message)
		f.reply <- &Reply{Failure: &Failure{Type: "Function.ResponseSizeTooLarge", Payload: a.body}}
		return a
	case err != nil:
		f.reply <- &Reply{Failure: failure("Runtime.TruncatedResponse", "the response was cut off")}
		return problem(400, "Runtime.TruncatedResponse", err.Error())
	}
	f.reply <- &Reply{Payload: payload}
	return accepted()
}

// stream passes on a response while it comes.
func (s *Session) stream(r *request, id string, body io.Reader) answer {
	f := s.take(id)
	if f == nil {
		return badID()
	}
	out, in := io.Pipe()
	defer s.begun(out)()
	f.reply <- &Reply{Stream: out, ContentType: r.headers.contentType}
	_, err := io.Copy(in, body)
	switch {
	case errors.Is(err, io.ErrClosedPipe): // nobody listens any more; the function may finish
		_, err = io.Copy(io.Discard, body)
	case err == nil && r.headers.errorType != "": // said after the body
		details, decodeErr := base64.StdEncoding.DecodeString(r.headers.errorBody)
		if decodeErr != nil || len(details) == 0 {
			details = failure(r.headers.errorType, "the function failed while it answered").Payload
		}
		_ = in.CloseWithError(&Failure{Type: r.headers.errorType, Payload: details})
		return accepted()
	}
	if err != nil {
		err = failure("Runtime.TruncatedResponse", "the response was cut off")
	}
	_ = in.CloseWithError(err)
	return accepted()
}

// begun notes a stream, and that it is over.
func (s *Session) begun(out *io.PipeReader) (over func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams[out] = struct{}{}
	if s.ended {
		_ = out.CloseWithError(ErrEnded)
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.streams, out)
	}
}

// callError takes the error of a function.
func (s *Session) callError(r *request, id string, body io.Reader) answer {
	f := s.take(id)
	if f == nil {
		return badID()
	}
	s.mu.Lock()
	f.failed = true
	s.mu.Unlock()
	f.reply <- &Reply{Failure: said(r, body)}
	return accepted()
}

// initError takes the error of a runtime that cannot start.
func (s *Session) initError(r *request, body io.Reader) answer {
	f := said(r, body)
	s.settle(func() {
		if !s.asked && s.failure == nil {
			s.failure = f
		}
	})
	return accepted()
}

// said reads an error as runtimes send it.
func said(r *request, body io.Reader) *Failure {
	text, err := payload(r, body)
	if err != nil || len(text) == 0 || !json.Valid(text) {
		text = failure(cmp.Or(r.headers.errorType, "Unhandled"), "the function failed without saying how").Payload
	}
	return &Failure{Type: cmp.Or(r.headers.errorType, "Unhandled"), Payload: text}
}

func failure(kind, message string) *Failure {
	return &Failure{Type: kind, Payload: problem(0, kind, message).body}
}

var errTooLarge = errors.New("the body is too large")

// payload reads a body whole.
func payload(r *request, body io.Reader) ([]byte, error) {
	if r.length > MaxPayload {
		return nil, errTooLarge
	}
	if r.length >= 0 {
		b := make([]byte, r.length)
		_, err := io.ReadFull(body, b)
		return b, err
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(body, MaxPayload+1)); err != nil {
		return nil, err
	}
	if b.Len() > MaxPayload {
		return nil, errTooLarge
	}
	return b.Bytes(), nil
}
