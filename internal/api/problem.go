package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aloft-run/aloft"
)

const problemType = "application/problem+json"

// statusCanceled is what nginx made customary for a client that went away.
const statusCanceled = 499

// Problem is an error as the API says it (RFC 9457). Title names the kind, Detail is the message.
type Problem struct {
	Title  string     `json:"title"`
	Status int        `json:"status"`
	Detail string     `json:"detail"`
	Code   aloft.Code `json:"code" doc:"One of invalid, not_found, conflict, failed, unavailable, canceled, internal"`
	Hint   string     `json:"hint,omitempty" doc:"The next step for the user"`
	Lines  []string   `json:"lines,omitempty" doc:"What helps to understand: the last lines of a log, a piece of a file"`
}

var (
	_ huma.StatusError       = (*Problem)(nil)
	_ huma.ContentTypeFilter = (*Problem)(nil)
)

// NewProblem says err as a Problem.
func NewProblem(err error) *Problem {
	e, ok := errors.AsType[*aloft.Error](err)
	if !ok {
		e = aloft.Errorf(aloft.Internal, "%w", err)
		if errors.Is(err, context.Canceled) {
			e.Code = aloft.Canceled
		}
	}
	// A wrapper's words ("deploy shop/staging: …") are part of the message.
	p := &Problem{Title: title(e.Code), Status: Status(e.Code), Detail: err.Error(), Code: e.Code, Hint: e.Hint}
	if e.Detail != "" {
		p.Lines = strings.Split(e.Detail, "\n")
	}
	return p
}

// Err returns the error that p says, with the same code, message, hint and detail.
func (p *Problem) Err() *aloft.Error {
	e := &aloft.Error{Code: p.Code, Message: p.Detail, Hint: p.Hint, Detail: strings.Join(p.Lines, "\n")}
	if p.Code == aloft.Canceled {
		e.Err = context.Canceled
	}
	return e
}

// Error returns the message.
func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType returns the media type of problems.
func (p *Problem) ContentType(string) string { return problemType }

// Status returns the HTTP status of a code. It is the only place that knows.
func Status(code aloft.Code) int {
	switch code {
	case aloft.Invalid:
		return http.StatusUnprocessableEntity
	case aloft.NotFound:
		return http.StatusNotFound
	case aloft.Conflict:
		return http.StatusConflict
	case aloft.Failed:
		return http.StatusFailedDependency
	case aloft.Unavailable:
		return http.StatusServiceUnavailable
	case aloft.Canceled:
		return statusCanceled
	default:
		return http.StatusInternalServerError
	}
}

// CodeOf returns the code for an HTTP status that came without one.
func CodeOf(status int) aloft.Code {
	switch {
	case status == http.StatusNotFound:
		return aloft.NotFound
	case status == http.StatusConflict:
		return aloft.Conflict
	case status == http.StatusServiceUnavailable, status == http.StatusBadGateway, status == http.StatusGatewayTimeout:
		return aloft.Unavailable
	case status >= 400 && status < 500:
		return aloft.Invalid
	default:
		return aloft.Internal
	}
}

func title(code aloft.Code) string {
	if code == aloft.NotFound {
		return "not found"
	}
	return string(code)
}

// asProblem turns what huma says about bad requests into a Problem, so that all errors have one shape.
func asProblem(_ huma.Context, _ string, v any) (any, error) {
	model, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	code := CodeOf(model.Status)
	p := &Problem{Title: title(code), Status: model.Status, Detail: model.Detail, Code: code}
	for _, e := range model.Errors {
		p.Lines = append(p.Lines, complaint(e))
	}
	return p, nil
}

// complaint says what is wrong and where, without huma's copy of the value: it may be a secret, and as large as the body.
func complaint(e *huma.ErrorDetail) string {
	if e.Location == "" {
		return e.Message
	}
	return e.Message + " (" + e.Location + ")"
}

// WriteProblem answers with err outside of huma.
func WriteProblem(w http.ResponseWriter, err error) {
	p := NewProblem(err)
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client may be gone
}
