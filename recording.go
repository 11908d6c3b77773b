package aloft

import (
	"context"
	"encoding/json"
	"time"
)

// Recording is an event that a function worked on, with its reply. What looks like a secret in it was masked before it was kept.
type Recording struct {
	ID            int             `json:"id"` // 1, 2, 3 … per stage
	Function      string          `json:"function"`
	Release       int             `json:"release"`
	At            time.Time       `json:"at"`
	Event         json.RawMessage `json:"event"`
	Reply         json.RawMessage `json:"reply,omitempty"` // nothing if it was streamed or no JSON
	FunctionError string          `json:"functionError,omitempty"`
	Masked        int             `json:"masked"` // values that were masked
}

// RecorderState says that events of a function are recorded now.
type RecorderState struct {
	Function string    `json:"function"`
	Until    time.Time `json:"until"`
}

// Recorder keeps events of functions for a while. A stage's recordings go with the stage. Implementations: record.Store,
// client.Client.
type Recorder interface {
	// Record begins to keep the events of a function, until a moment at most 24 hours from now; the zero time ends it. It
	// returns NotFound if the stage's current release has no such handler function.
	Record(ctx context.Context, ref StageRef, function string, until time.Time) error
	// Recorded lists what is recorded now, by function.
	Recorded(ctx context.Context, ref StageRef) ([]RecorderState, error)
	// Recordings lists what was kept of a function, of all if it is "", newest first.
	Recordings(ctx context.Context, ref StageRef, function string) ([]Recording, error)
	// Recording returns NotFound if there is none of the id, or no more.
	Recording(ctx context.Context, ref StageRef, id int) (Recording, error)
}

// TestEvent is an event kept under a name, to invoke a function with.
type TestEvent struct {
	Function string          `json:"function"`
	Name     string          `json:"name"`
	Event    json.RawMessage `json:"event"`
}

// TestEvents keeps test events of a stage, which go with the stage. Implementations: record.Store, client.Client.
type TestEvents interface {
	// SaveTestEvent keeps an event in place of an earlier one of the name. It returns Invalid for bad names and what is no
	// JSON, Conflict if there are too many.
	SaveTestEvent(ctx context.Context, ref StageRef, event TestEvent) error
	// TestEvents lists them by function and name.
	TestEvents(ctx context.Context, ref StageRef) ([]TestEvent, error)
	// DeleteTestEvent returns NotFound if there is none.
	DeleteTestEvent(ctx context.Context, ref StageRef, function, name string) error
}
