package async

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

// record is what destinations get, as Lambda's do: AWS Lambda Developer Guide, "Capturing records of Lambda asynchronous
// invocations".
type record struct {
	Version         string           `json:"version"`
	Timestamp       string           `json:"timestamp"`
	RequestContext  requestContext   `json:"requestContext"`
	RequestPayload  json.RawMessage  `json:"requestPayload"`
	ResponseContext *responseContext `json:"responseContext,omitempty"`
	ResponsePayload json.RawMessage  `json:"responsePayload,omitempty"`
}

type requestContext struct {
	RequestID              string `json:"requestId"`
	FunctionARN            string `json:"functionArn"`
	Condition              string `json:"condition"`
	ApproximateInvokeCount int    `json:"approximateInvokeCount"`
}

type responseContext struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError,omitempty"`
}

// timeFormat is the time of a record: milliseconds, in UTC.
const timeFormat = "2006-01-02T15:04:05.000Z"

// latest is Lambda's name for what an invocation without a qualifier runs.
const latest = "$LATEST"

func (w *worker) record(name string, m messages.Message, e envelope, got aloft.Invoked, condition string) []byte {
	qualifier := e.Qualifier
	if qualifier == "" {
		qualifier = latest
	}
	r := record{
		Version: "1.0", Timestamp: time.Now().UTC().Format(timeFormat), RequestPayload: asJSON(m.Body),
		RequestContext: requestContext{
			RequestID: m.ID, Condition: condition, ApproximateInvokeCount: e.Attempts,
			FunctionARN: "arn:aws:lambda:us-east-1:000000000000:function:" + name + ":" + qualifier,
		},
	}
	if got.RequestID != "" { // it answered
		r.ResponseContext = &responseContext{StatusCode: 200, ExecutedVersion: strconv.Itoa(got.Release)}
		if got.FunctionError != "" {
			r.ResponseContext.FunctionError = "Unhandled"
		}
		r.ResponsePayload = asJSON(got.Payload)
	}
	text, err := json.Marshal(r)
	if err != nil { // asJSON has seen to that
		return []byte("{}")
	}
	return text
}

// asJSON is b if it is JSON, else b as a text; null if it is empty.
func asJSON(b []byte) json.RawMessage {
	if len(b) == 0 {
		return json.RawMessage("null")
	}
	if json.Valid(b) {
		return b
	}
	text, err := json.Marshal(string(b))
	if err != nil { // a string always can be written
		return json.RawMessage("null")
	}
	return text
}
