package s3_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// sealing gives the objects of an S3 the ETags that those of aloft's buckets have: KMS encrypts them, so that the ETag of each write is
// another one, even if the bytes are the same.
type sealing struct {
	http.Handler

	mu     sync.Mutex
	writes map[string]int // by path
}

func (s *sealing) etag(path string) string { return `"write ` + strconv.Itoa(s.writes[path]) + `"` }

func (s *sealing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Has("partNumber") { // a part has an ETag of its own
		s.Handler.ServeHTTP(w, r)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	path := r.URL.Path
	if want := r.Header.Get("If-Match"); want != "" && s.writes[path] > 0 {
		r.Header.Del("If-Match")
		if want != s.etag(path) {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
	}
	answer := &sealed{ResponseWriter: w, s: s, method: r.Method, path: path}
	s.Handler.ServeHTTP(answer, r)
	if !answer.begun {
		answer.WriteHeader(http.StatusOK)
	}
}

// sealed puts the ETag of sealing into an answer.
type sealed struct {
	http.ResponseWriter

	s            *sealing
	method, path string
	begun        bool
}

func (w *sealed) WriteHeader(status int) {
	w.begun = true
	ok := status < http.StatusMultipleChoices
	switch {
	case ok && w.method == http.MethodPut:
		w.s.writes[w.path]++
	case ok && w.method == http.MethodDelete:
		delete(w.s.writes, w.path)
	}
	if w.s.writes[w.path] > 0 && w.Header().Get("ETag") != "" {
		w.Header().Set("ETag", w.s.etag(w.path))
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *sealed) Write(data []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(data)
}

// is reports whether a request writes or deletes an object whose key has an end.
func is(r *http.Request, method, end string) bool {
	return r.Method == method && strings.HasSuffix(r.URL.Path, end)
}

// hook does something before a request is sent, or in its place.
type hook func(*http.Request) (*http.Response, error)

// RoundTrip sends the request unless the hook answers it.
func (h hook) RoundTrip(r *http.Request) (*http.Response, error) {
	if answer, err := h(r); answer != nil || err != nil {
		return answer, err
	}
	return http.DefaultTransport.RoundTrip(r)
}

func (h hook) over(config aws.Config) aws.Config {
	config.HTTPClient = &http.Client{Transport: h}
	return config
}
