package lambdaapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aloft-run/aloft"
)

// Failure is an error as Lambda's clients know them.
type Failure struct {
	Type    string // "ResourceNotFoundException"
	Status  int
	Message string
}

// Error returns the message.
func (f *Failure) Error() string { return f.Message }

func invalid(format string, args ...any) error {
	return &Failure{"InvalidParameterValueException", http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) error {
	return &Failure{"ResourceNotFoundException", http.StatusNotFound, fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) error {
	return &Failure{"ResourceConflictException", http.StatusConflict, fmt.Sprintf(format, args...)}
}

// missing reports whether an error says that there is no such thing.
func missing(err error) bool { return err != nil && failureOf(err).Status == http.StatusNotFound }

// failureOf is what a client is told of an error. The hint says what to do, and so is part of it.
func failureOf(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	e, ok := errors.AsType[*aloft.Error](err)
	if !ok {
		return &Failure{"ServiceException", http.StatusInternalServerError, "internal error"}
	}
	text := e.Message
	if e.Hint != "" {
		text += ": " + e.Hint
	}
	switch e.Code {
	case aloft.Invalid, aloft.Failed:
		return &Failure{"InvalidParameterValueException", http.StatusBadRequest, text}
	case aloft.NotFound:
		return &Failure{"ResourceNotFoundException", http.StatusNotFound, text}
	case aloft.Conflict:
		return &Failure{"ResourceConflictException", http.StatusConflict, text}
	case aloft.Unavailable:
		return &Failure{"TooManyRequestsException", http.StatusTooManyRequests, text}
	case aloft.Canceled, aloft.Internal:
	}
	return &Failure{"ServiceException", http.StatusInternalServerError, "internal error"}
}

func writeFailure(w http.ResponseWriter, err error) {
	f := failureOf(err)
	said := map[string]string{"Type": "User", "Message": f.Message, "message": f.Message}
	if f.Status >= http.StatusInternalServerError {
		said["Type"] = "Service"
	}
	if f.Type == "TooManyRequestsException" {
		said["Reason"] = "ConcurrentInvocationLimitExceeded"
		if _, throttled := errors.AsType[*aloft.Throttled](err); throttled {
			said["Reason"], said["Message"], said["message"] = "ReservedFunctionConcurrentInvocationLimitExceeded", "Rate Exceeded.", "Rate Exceeded."
		}
		w.Header().Set("Retry-After", "1")
	}
	if f.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	body, err := json.Marshal(said)
	if err != nil { // text always can be written
		body = nil
	}
	w.Header().Set("X-Amzn-Errortype", f.Type)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.Status)
	_, _ = w.Write(body) // a client that has left needs no answer
}

// readAll reads a body. The front has bounded it.
func readAll(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, MaxBody))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, &Failure{"RequestTooLargeException", http.StatusRequestEntityTooLarge, fmt.Sprintf("Request must be smaller than %d bytes", MaxBody)}
	}
	if err != nil {
		return nil, &Failure{"InvalidRequestContentException", http.StatusBadRequest, "The body cannot be read."}
	}
	return body, nil
}
