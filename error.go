package aloft

import (
	"errors"
	"fmt"
)

// Code classifies an Error. One table per edge maps codes to HTTP status, exit status and Lambda error type.
type Code string

// The codes. Invalid and NotFound are the user's to mend and end a command with status 2.
const (
	Invalid     Code = "invalid"     // the input is wrong: a name, a flag, a file
	NotFound    Code = "not_found"   // the named app, stage, release, key or domain does not exist
	Conflict    Code = "conflict"    // the state does not allow it now: a name or port is taken, a lock is held
	Failed      Code = "failed"      // the user's program failed: a build, a start, a hook
	Unavailable Code = "unavailable" // a part that is needed does not answer; trying again later may work
	Canceled    Code = "canceled"    // the caller gave up
	Internal    Code = "internal"    // a defect of ours, or of the machine: disk full, permission lost
)

// Error is an error that a user may see. Message says what is wrong in one line, cause included, Hint the next step, and
// Detail what helps to understand it: the last log lines, a piece of the file with the place marked.
type Error struct {
	Code    Code
	Message string
	Hint    string
	Detail  string
	Err     error // the cause, for errors.Is; may be nil
}

// Error returns the message, without hint and detail.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an *Error with a code. A %w verb in format sets the cause as for [fmt.Errorf].
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Err: errors.Unwrap(err)}
}

// WithHint returns a copy of e that carries the next step for the user.
func (e *Error) WithHint(format string, args ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

// WithDetail returns a copy of e that carries more lines for the user.
func (e *Error) WithDetail(detail string) *Error {
	c := *e
	c.Detail = detail
	return &c
}

// ErrorCode returns the code of the first *Error in err's chain, "" for nil and Internal for any other error.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}
