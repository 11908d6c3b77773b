package aloft

import (
	"context"
	"encoding/json"
	"strings"
	"time"
)

// What a function that says nothing gets for events that nobody waits for. They are Lambda's.
const (
	DefaultRetries    = 2
	DefaultRetryDelay = Duration(time.Minute) // before the first; twice that before the second
	MinEventAge       = Duration(time.Minute)
	MaxEventAge       = Duration(6 * time.Hour) // the default too
	MaxAsyncEvent     = 1 << 20                 // bytes of an event that nobody waits for
)

// Async says what becomes of a function's events that nobody waits for. Its zero value, and nil, are the defaults.
type Async struct {
	Retries    *int     `json:"retries,omitempty"`    // after a first attempt that failed, 0 to 2; nil means 2
	RetryDelay Duration `json:"retryDelay,omitempty"` // before the first retry, twice that before the second; 0 means 1m
	MaxAge     Duration `json:"maxAge,omitempty"`     // after which an event is given up, 1m to 6h; 0 means 6h
	OnSuccess  string   `json:"onSuccess,omitempty"`  // destination: function:NAME, queue:NAME or topic:NAME; "" is none
	OnFailure  string   `json:"onFailure,omitempty"`  // likewise; without one, an event that is given up becomes a dead letter
	Loops      string   `json:"loops,omitempty"`      // LoopsAllowed: events may run in circles; "" and LoopsEnd: they are given up
}

// What becomes of events that run in circles; see Async.Loops.
const (
	LoopsEnd     = "end"
	LoopsAllowed = "allow"
)

// Limits returns how often, after which delay and until which age events are tried.
func (a *Async) Limits() (retries int, delay, age time.Duration) {
	if a == nil {
		a = &Async{}
	}
	retries = DefaultRetries
	if a.Retries != nil {
		retries = *a.Retries
	}
	return retries, a.RetryDelay.Or(time.Duration(DefaultRetryDelay)), a.MaxAge.Or(time.Duration(MaxEventAge))
}

// Destination returns where the record of an event goes, "" if nowhere.
func (a *Async) Destination(success bool) string {
	switch {
	case a == nil:
		return ""
	case success:
		return a.OnSuccess
	}
	return a.OnFailure
}

func (a *Async) clone() *Async {
	if a == nil {
		return nil
	}
	c := *a
	if a.Retries != nil {
		retries := *a.Retries
		c.Retries = &retries
	}
	return &c
}

// CutDestination splits a destination into its kind (function, queue or topic) and the name; ok is false if it is none.
func CutDestination(destination string) (kind, name string, ok bool) {
	kind, name, _ = strings.Cut(destination, ":")
	return kind, name, (kind == "function" || kind == "queue" || kind == "topic") && CheckName(kind, name) == nil
}

// DeadLetter is an event that was given up.
type DeadLetter struct {
	ID       string          `json:"id"` // of the request
	Stage    StageRef        `json:"stage"`
	Function string          `json:"function"`
	Error    string          `json:"error"`             // of the last attempt
	Attempts int             `json:"attempts"`          // in which the function failed; 0 if it never got it
	Event    time.Time       `json:"event"`             // when it was accepted
	Dead     time.Time       `json:"dead"`              // when it was given up
	Payload  json.RawMessage `json:"payload,omitempty"` // DeadLetters leaves it out
	Response json.RawMessage `json:"response,omitempty"`
}

// AsyncService looks after the events that nobody waits for. Implementations: async.Queue, client.Client. All return
// NotFound if there is no such stage.
type AsyncService interface {
	// Pending counts by function the events of a stage that wait or are worked on.
	Pending(ctx context.Context, ref StageRef) (map[string]int, error)
	// DeadLetters lists dead letters, the oldest first, without Payload and Response; at most limit (0: all).
	DeadLetters(ctx context.Context, ref StageRef, limit int) ([]DeadLetter, error)
	// DeadLetter returns a whole one, or NotFound.
	DeadLetter(ctx context.Context, ref StageRef, id string) (DeadLetter, error)
	// Replay has functions work again on dead letters, all if no ids are given, as new events with the same ids, and says how
	// many there were. It returns NotFound, and does nothing, if one of the ids is none.
	Replay(ctx context.Context, ref StageRef, ids []string) (int, error)
	// RemoveDeadLetters deletes dead letters in the same way.
	RemoveDeadLetters(ctx context.Context, ref StageRef, ids []string) (int, error)
}
