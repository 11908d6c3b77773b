package aloft

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// Invoker has functions work on events. Implementations: local.Platform, client.Client.
type Invoker interface {
	// Invoke has an instance of a handler function work on an event, starting one if none runs, and returns what came of it.
	// A function that fails is no error of Invoke: see Invoked.FunctionError. It returns NotFound if the stage has no such
	// handler function, and Unavailable if no instance takes the event for now; its cause may be a *Throttled.
	Invoke(ctx context.Context, input InvokeInput) (Invoked, error)
}

// InvokeInput is an event for a function.
type InvokeInput struct {
	Stage         StageRef `json:"stage"`
	Function      string   `json:"function"`
	Payload       []byte   `json:"payload"`                 // JSON, at most 6 MB
	ClientContext string   `json:"clientContext,omitempty"` // JSON
	RequestID     string   `json:"requestId,omitempty"`     // "" = a new one
	Qualifier     string   `json:"qualifier,omitempty"`     // release "4" or "v4", or an alias; "" = the current release
	Tail          bool     `json:"tail,omitempty"`          // the end of the log is wanted
	Async         bool     `json:"async,omitempty"`         // return once it is durable; only RequestID is set in the answer

	// Source names the event source that it comes from, "" if none. A web function gets it as a POST to a path of that name.
	Source string `json:"source,omitempty"`

	// Trace is the trace header of what made the event, "" if that is not known: it says how often which functions were part of it.
	Trace string `json:"trace,omitempty"`
}

// Throttled says that as many events of a function are worked on as are reserved for it.
type Throttled struct {
	Reserved int // 0: it takes none at all, until that is changed
}

// Error says so.
func (t *Throttled) Error() string {
	if t.Reserved == 0 {
		return "its reserved concurrency is 0"
	}
	return fmt.Sprintf("its reserved concurrency of %d is used up", t.Reserved)
}

// InvokedStream is what came of an invocation whose answer is read while it comes.
type InvokedStream struct {
	Invoked
	Body        io.ReadCloser // nil if the answer is in Payload as a whole. It ends with an *InvokeFailure if the function fails on the way
	ContentType string        // of Body, as the function says it
	Log         func() []byte // LogTail of one with a Body, once that has been read; nil if it is not wanted
}

// InvokeFailure is the error of a function that had begun to answer.
type InvokeFailure struct {
	Type    string
	Payload []byte // as Invoked has it of one that failed
}

// Error returns the type.
func (f *InvokeFailure) Error() string { return f.Type }

// Invoked is what came of an invocation.
type Invoked struct {
	RequestID     string        `json:"requestId"`
	Release       int           `json:"release"`                 // which worked on it
	FunctionError string        `json:"functionError,omitempty"` // the error's type, such as "TypeError"; "" if it succeeded
	Payload       []byte        `json:"payload"`                 // the function's answer, or its error: errorMessage, errorType, stackTrace
	Elapsed       time.Duration `json:"elapsed"`                 // nanoseconds
	LogTail       []byte        `json:"logTail,omitempty"`       // the last 4 KB of what it printed, if Tail was set
}

// NameOf is the name of a stage's function as Lambda has it: the one that it was created with, or FunctionName's.
func (r StageRef) NameOf(f Function) string {
	if f.LambdaName != "" {
		return f.LambdaName
	}
	return r.FunctionName(f.Name)
}

// maxFunctionName is how long AWS lets the name of a function be.
const maxFunctionName = 64

// FunctionName is the name of a stage's function as Lambda has them: APP-FUNCTION, for stages that are not production
// APP-FUNCTION-STAGE. One that is too long ends, always the same way, with a digest of its whole.
func (r StageRef) FunctionName(function string) string {
	name := r.App + "-" + function
	if r.Stage != Production {
		name += "-" + r.Stage
	}
	if len(name) <= maxFunctionName {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	const digits = 8
	return name[:maxFunctionName-digits-1] + "-" + hex.EncodeToString(sum[:digits/2])
}

// EventSource is a source of events of a function, and how it is.
type EventSource struct {
	Function string    `json:"function"`
	Source   string    `json:"source"`             // canonical URI
	Operator bool      `json:"operator,omitempty"` // an operator added it; it is not the source's word
	Mapping  string    `json:"mapping,omitempty"`  // the UUID of the event source mapping of Lambda's API that it is
	Running  bool      `json:"running"`
	Last     time.Time `json:"last,omitzero"`   // the last event
	Next     time.Time `json:"next,omitzero"`   // when the next is due, of a schedule
	Events   int64     `json:"events"`          // since the server started it
	Failed   int64     `json:"failed"`          // of those
	Error    string    `json:"error,omitempty"` // the last failure, "" once it works again
}
