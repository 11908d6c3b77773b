// Package wire is how AWS's APIs look on the wire: the JSON protocols and the older query protocol, requests as values of
// operations, answers and errors in AWS's shapes. It knows no service; the kinds of resources do.
package wire

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"

	"github.com/aloft-run/aloft"
)

// maxRequest bounds the body of a request: the largest of the services, with its encoding.
const maxRequest = 16 << 20

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

// requestID is a random identifier in the form of a UUID.
func requestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// NewID returns a new identifier, such as those of messages.
func NewID() string { return requestID() }
