package shim

import (
	"encoding/json"
	"fmt"
)

// Types of errors of functions. Those of local web functions are the same.
const (
	kindHTTP    = "HTTPError"         // the server did not answer an event, or with an error
	kindTimeout = "Sandbox.Timedout"  // it did not in time
	kindExit    = "Runtime.ExitError" // it ended before it was ready
	kindInit    = "Runtime.InitError" // it cannot be started, or does not become ready
	kindTooLong = "Function.ResponseSizeTooLarge"
)

// failure is an error of the function, as runtimes tell it.
type failure struct{ kind, message string }

func failed(kind, format string, args ...any) failure {
	return failure{kind, fmt.Sprintf(format, args...)}
}

// Error returns the message.
func (f failure) Error() string { return f.message }

// payload is the JSON of it.
func (f failure) payload() []byte {
	text, err := json.Marshal(map[string]string{"errorType": f.kind, "errorMessage": f.message})
	if err != nil {
		return nil // texts can be written
	}
	return text
}
