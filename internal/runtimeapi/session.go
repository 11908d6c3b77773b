// Package runtimeapi is the side of the Lambda Runtime API that a function's runtime asks for work: one small HTTP/1.1 server
// per instance, which hands out invocations and takes replies, buffered or streamed. Extensions register with it too. It knows
// neither processes nor how events come about.
//
// Paths, headers, statuses and bodies are those of AWS (AWS.md 5; docs: Lambda runtime API, extensions API).
package runtimeapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// MaxPayload is how long a buffered reply may be, in bytes.
const MaxPayload = 6<<20 + 100

// maxConns is how many connections an instance may have: its runtime needs one or two, an extension one.
const maxConns = 64

// Call is an invocation.
type Call struct {
	ID              string // request id
	Payload         []byte // the event
	Deadline        time.Time
	ARN             string
	TraceID         string
	ClientContext   string // JSON; "" if there is none
	CognitoIdentity string // JSON; "" if there is none

	// Free is called once the instance is done with the call and takes another, or has ended. It may be nil.
	Free func()
}

// Session is an instance as the giver of work sees it. All methods may be called from several goroutines.
type Session struct {
	listener net.Listener
	work     chan *flight
	closed   chan struct{}  // closed by Close
	ready    chan struct{}  // closed when the runtime asks for work first, or gives up
	conns    sync.WaitGroup // and what delivers telemetry

	telemetry atomic.Pointer[telemetry] // nil: not offered

	mu         sync.Mutex
	open       map[net.Conn]struct{}
	streams    map[*io.PipeReader]struct{} // of replies on their way
	flights    map[string]*flight          // handed out or waiting to be, not answered
	answered   []*flight                   // answered, not free
	asked      bool                        // for work, once
	waiting    bool                        // the runtime asks for work
	failure    *Failure                    // of the initialisation
	extensions map[string]*extension
	missing    map[string]bool // extensions that have not asked for events yet, by name; the initialisation waits for them
	ended      bool
}

// flight is a call under way.
type flight struct {
	*Call

	reply  chan *Reply // takes one
	once   sync.Once
	handed time.Time // to the runtime

	// guarded by Session.mu
	failed bool // the runtime answered with an error
	told   bool // subscribers know that it is answered
}

// free says that the instance takes another call.
func (f *flight) free() {
	f.once.Do(func() {
		if f.Free != nil {
			f.Free()
		}
	})
}

// ErrEnded is what Invoke returns when the instance has ended, or Close was called, before it answered.
var ErrEnded = errors.New("the instance ended")

// Serve takes the requests of one instance until Close.
func Serve(l net.Listener) *Session {
	s := &Session{
		listener: l, work: make(chan *flight), closed: make(chan struct{}), ready: make(chan struct{}),
		open: map[net.Conn]struct{}{}, streams: map[*io.PipeReader]struct{}{}, flights: map[string]*flight{}, extensions: map[string]*extension{},
	}
	s.conns.Go(s.accept)
	return s
}

func (s *Session) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.ended || len(s.open) >= maxConns {
			_ = c.Close()
		} else {
			s.open[c] = struct{}{}
			s.conns.Go(func() { s.serve(c) })
		}
		s.mu.Unlock()
	}
}

// Ready is closed when the runtime and the extensions that Await names are initialised, or one has said
// that it cannot be: see InitFailure.
func (s *Session) Ready() <-chan struct{} { return s.ready }

// InitFailure is what the runtime said about its initialisation, nil if nothing.
func (s *Session) InitFailure() *Failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// Invoke hands a call to the runtime and returns its reply. When ctx ends first it returns ctx's error; the runtime may go on
// with the call, so the instance is not to be used again. An error of the function is part of the Reply.
func (s *Session) Invoke(ctx context.Context, call *Call) (*Reply, error) {
	f := &flight{Call: call, reply: make(chan *Reply, 1)}
	if err := s.begin(f); err != nil {
		return nil, err
	}
	select {
	case s.work <- f:
	case <-s.closed:
		s.drop(f)
		return nil, ErrEnded
	case <-ctx.Done():
		s.drop(f)
		return nil, fmt.Errorf("wait for the runtime: %w", ctx.Err())
	}
	select {
	case r := <-f.reply:
		return r, nil
	case <-s.closed:
		s.drop(f)
		return nil, ErrEnded
	case <-ctx.Done():
		s.drop(f)
		return nil, fmt.Errorf("wait for the function: %w", ctx.Err())
	}
}

func (s *Session) begin(f *flight) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return ErrEnded
	}
	if _, taken := s.flights[f.ID]; taken {
		return fmt.Errorf("invocation %s is under way already", f.ID)
	}
	s.flights[f.ID] = f
	s.announce(f.Call)
	return nil
}

// drop forgets a call whose reply nobody waits for.
func (s *Session) drop(f *flight) {
	s.mu.Lock()
	delete(s.flights, f.ID)
	s.mu.Unlock()
	f.free()
}

// Close ends all connections, and with them what waits for the runtime. It returns when nothing is left.
func (s *Session) Close() {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		s.conns.Wait()
		return
	}
	s.ended = true
	close(s.closed)
	_ = s.listener.Close()
	for c := range s.open {
		_ = c.Close()
	}
	for out := range s.streams { // whoever writes to it waits for a reader, not for its connection
		_ = out.CloseWithError(ErrEnded)
	}
	left := s.answered
	s.answered = nil
	s.mu.Unlock()
	s.telemetry.Load().end()
	for _, f := range left {
		f.free()
	}
	s.conns.Wait()
}
