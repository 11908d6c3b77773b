package bucket

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/johannesboyne/gofakes3"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lineage"
	"github.com/aloft-run/aloft/internal/resource"
)

// Handler answers S3's API for the buckets that are visible. Buckets are parts of the path: SDKs do so with an address for
// a host.
func (s *Store) Handler(visible resource.Visible) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := unsupported(r, visible)
		switch {
		case f != nil:
		case copiesPart(r):
			f = s.copyPart(w, r, visible)
		default:
			if r.Method == http.MethodPost {
				r.Body = http.MaxBytesReader(w, r.Body, maxDocument)
			}
			if f = plain(r); f == nil {
				hide(r.Header)
				s.serve(w, r, visible)
			}
		}
		if f != nil {
			f.write(w)
		}
	})
}

// serve has gofakes3 answer. It passes no context on: each request has a backend of its own, which costs next to nothing.
func (s *Store) serve(w http.ResponseWriter, r *http.Request, visible resource.Visible) {
	l := &lower{ResponseWriter: w}
	b := backend{s, visible, lineage.From(r.Context()), &l.full}
	// What gofakes3 checks of the client's clock is whoever authenticates' to check.
	gofakes3.New(b, gofakes3.WithTimeSkewLimit(0)).Server().ServeHTTP(l, r)
	l.begin() // of an answer without a body
}

// maxDocument bounds the XML of a request, in bytes: 1000 keys to delete, or 10000 parts.
const maxDocument = 8 << 20

// lower sends the names of metadata as S3 does, in lower case: clients show them as they come.
type lower struct {
	http.ResponseWriter

	sent bool
	full bool // there was no room
}

// WriteHeader implements http.ResponseWriter.
func (l *lower) WriteHeader(status int) {
	l.begin()
	if l.full { // gofakes3 does not know that error
		status = http.StatusInsufficientStorage
	}
	l.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (l *lower) Write(b []byte) (int, error) {
	l.begin()
	return l.ResponseWriter.Write(b)
}

func (l *lower) begin() {
	if l.sent {
		return
	}
	l.sent = true
	h := l.Header()
	for name, values := range h {
		if strings.HasPrefix(name, "X-Amz-Meta-") {
			delete(h, name)
			h[strings.ToLower(name)] = values
		}
	}
}

// failure is an error in S3's shape.
type failure struct {
	XMLName xml.Name `xml:"Error"`
	Code    string
	Message string
	status  int
}

func (f *failure) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(f.status)
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(f) // the client is gone if it fails
}

// known are the parts of a query that choose an operation and that are understood.
func known() []string {
	return []string{"uploads", "uploadId", "partNumber", "location", "versioning", "delete", "list-type"}
}

// unsupported refuses buckets that are not visible, and what gofakes3 would take for something else: it knows fewer
// operations than S3 has.
func unsupported(r *http.Request, visible resource.Visible) *failure {
	others := []string{
		"accelerate", "acl", "analytics", "attributes", "cors", "encryption", "intelligent-tiering", "inventory", "legal-hold", "lifecycle",
		"logging", "metrics", "notification", "object-lock", "ownershipControls", "policy", "policyStatus", "publicAccessBlock", "replication",
		"requestPayment", "restore", "retention", "select", "tagging", "torrent", "versions", "website",
	}
	query := r.URL.Query()
	for _, name := range others {
		if query.Has(name) {
			return &failure{Code: "NotImplemented", Message: fmt.Sprintf("aloft's buckets have no ?%s", name), status: http.StatusNotImplemented}
		}
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") && r.Method == http.MethodPost {
		return &failure{Code: "NotImplemented", Message: "aloft's buckets take no forms", status: http.StatusNotImplemented}
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case bucket == "" || visible.Sees(aloft.Bucket, bucket):
		return nil
	case r.Method == http.MethodPut && key == "" && !slices.ContainsFunc(known(), query.Has):
		return &failure{Code: "AccessDenied", Message: "a function cannot make buckets: declare them in the resources section of aloft.yml", status: http.StatusForbidden}
	}
	return noBucket()
}

func noBucket() *failure {
	return &failure{Code: "NoSuchBucket", Message: "The specified bucket does not exist", status: http.StatusNotFound}
}

// hiddenPrefix brings headers through gofakes3 that it would drop.
const hiddenPrefix = "X-Amz-Aloft-"

func hiddenHeaders() []string { return []string{"Cache-Control", "Content-Language", "Expires"} }

func hide(h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, hiddenPrefix) {
			h.Del(name)
		}
	}
	for _, name := range hiddenHeaders() {
		if v := h.Get(name); v != "" {
			h.Set(hiddenPrefix+name, v)
		}
	}
}

// plain takes a body out of the chunks in which SDKs sign it or add a checksum to it.
func plain(r *http.Request) *failure {
	kind := r.Header.Get("X-Amz-Content-Sha256")
	if !strings.HasPrefix(kind, "STREAMING-") {
		return nil
	}
	size, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
	if err != nil || size < 0 {
		return &failure{Code: "MissingContentLength", Message: "X-Amz-Decoded-Content-Length is missing", status: http.StatusLengthRequired}
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{newChunks(r.Body), r.Body}
	r.ContentLength = size
	r.Header.Set("Content-Length", strconv.FormatInt(size, 10))
	r.Header.Del("X-Amz-Content-Sha256")
	var rest []string
	for part := range strings.SplitSeq(r.Header.Get("Content-Encoding"), ",") {
		if part = strings.TrimSpace(part); part != "" && part != "aws-chunked" {
			rest = append(rest, part)
		}
	}
	r.Header.Del("Content-Encoding")
	if len(rest) > 0 {
		r.Header.Set("Content-Encoding", strings.Join(rest, ","))
	}
	return nil
}
