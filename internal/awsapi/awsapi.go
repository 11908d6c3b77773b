// Package awsapi is the front of the server for AWS's own clients: it verifies signatures (Signature Version 4, in the header
// or in the query) and hands requests to the service that the signature's scope names. It knows no service; package
// lambdaapi is one. Who cannot sign learns nothing but that.
package awsapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/aloft-run/aloft"
)

// Where everything here believes to be.
const (
	Region  = "us-east-1"
	Account = "000000000000"
)

// Credential is an access key.
type Credential struct {
	KeyID, Secret string
	Token         string // of the session; "" for keys that last
}

// String keeps the secret out of what is printed.
func (c Credential) String() string { return "credential(" + c.KeyID + ")" }

// GoString keeps the secret out of %#v.
func (c Credential) GoString() string { return c.String() }

// Service answers the requests of one of AWS's services. They have been verified; their body may be read once.
type Service struct {
	Handler http.Handler
	MaxBody int64 // bytes of a body whose digest is not in the request's head, which is read as a whole; 0 means 6 MB
}

// Options are what a Front needs.
type Options struct {
	// Credential returns the access key of an id, ErrUnknown if there is none.
	Credential func(ctx context.Context, keyID string) (Credential, error)
	Services   map[string]Service // by the name in the scope: "lambda", "s3"
	Now        func() time.Time   // nil: time.Now
}

// ErrUnknown is what Options.Credential returns for an id that is no access key's.
var ErrUnknown = errors.New("no such access key")

// Front is an http.Handler. Make one with New.
type Front struct {
	Options

	bodies *semaphore.Weighted // bytes of bodies that may be in memory at once
}

const (
	defaultBody = 6 << 20
	allBodies   = 256 << 20
)

// New returns a Front.
func New(options Options) *Front {
	if options.Now == nil {
		options.Now = time.Now
	}
	return &Front{Options: options, bodies: semaphore.NewWeighted(allBodies)}
}

// Takes reports whether a request carries a signature, whether or not it is a good one.
func (f *Front) Takes(r *http.Request) bool {
	for _, value := range r.Header["Authorization"] {
		if strings.HasPrefix(value, algorithm) {
			return true
		}
	}
	return strings.Contains(r.URL.RawQuery, querySignature+"=")
}

// ServeHTTP verifies a request and has its service answer it.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(requestIDHeader, aloft.NewID())
	leave, service, err := f.verify(w, r)
	if err != nil {
		fail(w, r, service, err)
		return
	}
	defer leave()
	f.Services[service].Handler.ServeHTTP(w, r)
}

// Verify is for handlers of other hosts, such as function URLs with AuthType AWS_IAM: it answers a request that is not signed
// for the service, and reports false. Otherwise the caller calls leave when it is done with the body.
func (f *Front) Verify(w http.ResponseWriter, r *http.Request, service string) (leave func(), ok bool) {
	leave, scope, err := f.verify(w, r)
	if err == nil && scope != service {
		leave()
		err = reject(badScope, "Credential should be scoped to correct service: '%s'.", service)
	}
	if err != nil {
		fail(w, r, service, err)
		return nil, false
	}
	return leave, true
}

// verify returns the service of a request's scope, if it is known by then.
func (f *Front) verify(w http.ResponseWriter, r *http.Request) (leave func(), service string, err error) {
	s, err := parse(r)
	if err != nil {
		return nil, "", err
	}
	credential, err := f.Credential(r.Context(), s.keyID)
	if errors.Is(err, ErrUnknown) {
		return nil, s.service, reject(badKey, "The security token included in the request is invalid.")
	}
	if err != nil {
		return nil, s.service, err
	}
	known, ok := f.Services[s.service]
	if !ok {
		return nil, s.service, reject(badScope, "Credential should be scoped to a service that is here.")
	}
	if err := s.inTime(f.Now()); err != nil {
		return nil, s.service, err
	}
	if err := s.hasToken(credential); err != nil {
		return nil, s.service, err
	}
	leave, err = f.check(w, r, s, credential, known.MaxBody)
	return leave, s.service, err
}

// requestIDHeader is where AWS says the id of a request.
const requestIDHeader = "X-Amzn-Requestid"
