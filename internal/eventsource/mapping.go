package eventsource

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
)

// Where events say that they come from.
const (
	Region  = "us-east-1"
	Account = "000000000000"
)

// Mapping is a source of a function of a stage while it runs, and what is known of it. The fields are set before Run.
type Mapping struct {
	Stage    aloft.StageRef
	Function string
	Source   string                         // the canonical URI
	Physical func(kind, name string) string // the name on this server of a resource of the app; nil: as of functions
	From     time.Time                      // what happened until then was somebody else's, or nobody's: a schedule begins after it

	UUID      string // of a source that no release names; "" for others
	Qualifier string // as of InvokeInput
	Whole     bool   // a batch succeeds or fails as a whole: answers say nothing of single items

	Ends func(ctx context.Context, input aloft.InvokeInput) bool // whether an event runs in circles; nil: none does

	// Reserved is how many events of the function are worked on at once; nil, and false, is any number.
	Reserved func(ctx context.Context, ref aloft.StageRef, function string) (most int, bound bool)

	mu    sync.Mutex
	state State
}

// State is what is known of a source that runs.
type State struct {
	Through time.Time `json:"through,omitzero"` // what was due until then has been dealt with
	Last    time.Time `json:"last,omitzero"`    // the last event
	Next    time.Time `json:"next,omitzero"`    // when the next event is due, of a schedule
	Events  int64     `json:"events"`           // since it was started
	Failed  int64     `json:"failed"`           // of those
	Error   string    `json:"error,omitempty"`  // the last failure, "" once it works again
}

// State is what is known now.
func (m *Mapping) State() State {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

// Due says when the next event is due, the zero time for never.
func (m *Mapping) Due(next time.Time) { m.change(func(s *State) { s.Next = next }) }

// Passed says that all that was due until a time has been dealt with.
func (m *Mapping) Passed(through time.Time) { m.change(func(s *State) { s.Through = through }) }

// Worked says that n events were passed on.
func (m *Mapping) Worked(n int) {
	m.change(func(s *State) { s.Last, s.Events, s.Error = time.Now().Round(0), s.Events+int64(n), "" })
}

// Fails says that n events were not passed on, or that the function failed at them. With n 0 it is the source that fails.
func (m *Mapping) Fails(n int, err error) {
	m.change(func(s *State) {
		s.Events, s.Failed, s.Error = s.Events+int64(n), s.Failed+int64(n), err.Error()
		if n > 0 {
			s.Last = time.Now().Round(0)
		}
	})
}

func (m *Mapping) change(f func(*State)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.state)
}

// ID is an identifier in the form of a UUID, always the same for the same part of this mapping: an event that is passed on
// twice, whatever comes between, has the same one. It is made as RFC 9562 makes version 8, from a SHA-256.
func (m *Mapping) ID(part string) string {
	sum := sha256.Sum256([]byte(m.Stage.String() + "\x00" + m.Function + "\x00" + m.Source + "\x00" + part))
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Resource is the name on this server of the resource that a URI names.
func (m *Mapping) Resource(u URI) string {
	if m.Physical == nil || u.ARN != "" {
		return u.Physical(m.Stage)
	}
	return m.Physical(u.Kind, u.Name)
}

// Reader names the function to a resource that remembers how far it has come. It stays the same when options change.
func (m *Mapping) Reader() string {
	if m.UUID != "" {
		return m.Stage.String() + "/" + m.Function + "/" + m.UUID
	}
	return m.Stage.String() + "/" + m.Function
}

// Failed says which items of a batch the function failed at; see the function Failed.
func (m *Mapping) Failed(invoked aloft.Invoked, items []string) (failed map[string]bool, why error) {
	if m.Whole && invoked.FunctionError == "" {
		return nil, nil
	}
	return Failed(invoked, items)
}

// Input is an event of the source for the function.
func (m *Mapping) Input(source Source, payload []byte) aloft.InvokeInput {
	return aloft.InvokeInput{Stage: m.Stage, Function: m.Function, Payload: payload, Qualifier: m.Qualifier, Source: source.Name()}
}
