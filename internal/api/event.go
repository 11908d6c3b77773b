package api

import (
	"encoding/json"
	"time"

	"github.com/aloft-run/aloft"
)

// The types of events. A stream ends with a result or an error.
const (
	typeStarted = "step_started"
	typeDone    = "step_done"
	typePart    = "part_done"
	typeOutput  = "output"
	typeWarning = "warning"
	typeNotice  = "notice"
	typeLog     = "log"
	TypeResult  = "result"
	TypeError   = "error"
)

// Event is one line of a stream.
type Event struct {
	Type    string          `json:"type" enum:"step_started,step_done,part_done,output,warning,notice,log,result,error"`
	Step    string          `json:"step,omitempty"`
	Text    string          `json:"text,omitempty"`
	Elapsed time.Duration   `json:"elapsed,omitempty" doc:"nanoseconds"`
	Log     *aloft.LogLine  `json:"log,omitempty"`
	Result  json.RawMessage `json:"result,omitempty" doc:"what the operation returns"`
	Error   *Problem        `json:"error,omitempty"`
}

// newEvent says a progress event on the wire.
func newEvent(event aloft.Event) Event {
	switch e := event.(type) {
	case aloft.StepStarted:
		return Event{Type: typeStarted, Step: e.Step, Text: e.Text}
	case aloft.StepDone:
		return Event{Type: typeDone, Step: e.Step, Text: e.Text, Elapsed: e.Elapsed}
	case aloft.PartDone:
		return Event{Type: typePart, Step: e.Step, Text: e.Text, Elapsed: e.Elapsed}
	case aloft.Output:
		return Event{Type: typeOutput, Step: e.Step, Text: e.Text}
	case aloft.Warning:
		return Event{Type: typeWarning, Text: e.Text}
	case aloft.Notice:
		return Event{Type: typeNotice, Text: e.Text}
	default:
		return Event{}
	}
}

// Progress returns the progress event that e says, nil if it says something else or comes from a newer server.
func (e Event) Progress() aloft.Event {
	switch e.Type {
	case typeStarted:
		return aloft.StepStarted{Step: e.Step, Text: e.Text}
	case typeDone:
		return aloft.StepDone{Step: e.Step, Text: e.Text, Elapsed: e.Elapsed}
	case typePart:
		return aloft.PartDone{Step: e.Step, Text: e.Text, Elapsed: e.Elapsed}
	case typeOutput:
		return aloft.Output{Step: e.Step, Text: e.Text}
	case typeWarning:
		return aloft.Warning{Text: e.Text}
	case typeNotice:
		return aloft.Notice{Text: e.Text}
	default:
		return nil
	}
}

// last returns the event that ends a stream.
func last(result any, err error) Event {
	if err == nil {
		var raw []byte
		if raw, err = json.Marshal(result); err == nil {
			return Event{Type: TypeResult, Result: raw}
		}
	}
	return Event{Type: TypeError, Error: NewProblem(err)}
}
