// Package wire is how AWS's APIs look on the wire: the JSON protocols and the older query protocol, requests as values of
// operations, answers and errors in AWS's shapes. It knows no service; the kinds of resources do.
package wire

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/aloft-run/aloft"
)

// MaxRequest bounds the body of a request, in bytes: the largest of the services, with its encoding.
const MaxRequest = 16 << 20

// Failure is an error that a client sees.
type Failure struct {
	Code    string // the shape's name, such as QueueDoesNotExist
	Query   string // its name in the query protocol, if that is another
	Message string
	Status  int // 400 if 0
}

// Error implements error.
func (f *Failure) Error() string { return f.Code + ": " + f.Message }

// Fail makes a Failure of a client.
func Fail(code, format string, args ...any) *Failure {
	return &Failure{Code: code, Message: fmt.Sprintf(format, args...)}
}

// failure is err as a client sees it. What is ours keeps its details to itself.
func failure(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	if e, ok := errors.AsType[*aloft.Error](err); ok && e.Code == aloft.Unavailable {
		return &Failure{Code: "ServiceUnavailable", Message: e.Message, Status: http.StatusServiceUnavailable}
	}
	return &Failure{Code: "InternalFailure", Message: "the request failed inside of aloft", Status: http.StatusInternalServerError}
}

func (f *Failure) status() int {
	if f.Status == 0 {
		return http.StatusBadRequest
	}
	return f.Status
}

// fault is whose the failure is.
func (f *Failure) fault() string {
	if f.status() < http.StatusInternalServerError {
		return "Sender"
	}
	return "Receiver"
}
