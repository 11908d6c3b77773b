package shim

import (
	"cmp"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aloft-run/aloft/internal/lambdahttp"
	"github.com/aloft-run/aloft/internal/static"
)

// files is a directory served under a prefix.
type files struct {
	prefix  string // without slash at its end
	handler *static.Handler
}

// openFiles opens the directories of a function, longest prefix first.
func (s *settings) openFiles() ([]files, error) {
	var all []files
	for _, dir := range s.Static {
		root, err := os.OpenRoot(filepath.Join(s.root, dir.Root))
		if err != nil {
			return nil, fmt.Errorf("files below %s: %w", dir.Prefix, err)
		}
		handler := static.New(root, static.Options{Encodings: []static.Encoding{{Name: "gzip", Compress: compress}}})
		all = append(all, files{prefix: strings.TrimSuffix(dir.Prefix, "/"), handler: handler})
	}
	slices.SortStableFunc(all, func(a, b files) int { return cmp.Compare(len(b.prefix), len(a.prefix)) })
	return all, nil
}

func compress(w io.Writer, r io.Reader) error {
	z := gzip.NewWriter(w)
	if _, err := io.Copy(z, r); err != nil {
		return err
	}
	return z.Close()
}

// filesFor returns what answers a request with a file. Beside a server files answer for reading what there is of them; without
// one they say themselves what there is not.
func (w *worker) filesFor(e *lambdahttp.Event) *files {
	for i := range w.files {
		f := &w.files[i]
		rest, under := strings.CutPrefix(e.URL.Path, f.prefix)
		if !under || rest != "" && rest[0] != '/' {
			continue
		}
		reads := e.Method == http.MethodGet || e.Method == http.MethodHead
		if w.child == nil || reads && f.handler.Has(rest) {
			return f
		}
	}
	return nil
}

// serve answers a request with a file.
func (f *files) serve(ctx context.Context, r *reply) error {
	u := &url.URL{Path: strings.TrimPrefix(r.event.URL.Path, f.prefix), RawQuery: r.event.URL.RawQuery}
	request := (&http.Request{Method: r.event.Method, URL: u, Header: r.event.Header, Host: r.event.Host, Body: http.NoBody}).WithContext(ctx)
	w := &writer{reply: r, ctx: ctx, fields: http.Header{}}
	f.handler.ServeHTTP(w, request)
	w.WriteHeader(http.StatusOK)
	return r.finish(ctx, w.problem)
}
