// Package static serves a directory of files over HTTP: content types, strong ETags, conditional and range requests,
// compression, and the conventions of hosts for static sites. It lists no directories and shows no hidden files.
package static

import (
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

// Options are limits. The zero value has sensible ones.
type Options struct {
	// Memory is how many bytes of compressed files are kept. 0 means 64 MB.
	Memory int64
	// Encodings are the ways to compress that clients may choose from, the best first.
	Encodings []Encoding
}

// Encoding is a way to compress.
type Encoding struct {
	Name     string // as in Accept-Encoding: "gzip"
	Compress func(w io.Writer, r io.Reader) error
}

// Handler is the file server. Make one with New.
type Handler struct {
	root      *os.Root
	cache     *cache
	encodings []Encoding
}

var _ http.Handler = (*Handler)(nil)

// New returns a handler that serves the files below root, which stays the caller's to close. Nothing outside root is ever
// served: symbolic links that lead out of it are not found. For a URL path, in this order:
//
//   - the file of that name, or index.html in the directory of that name (after a redirect to the name with a slash);
//   - the file of that name with .html;
//   - 200.html with status 200, unless the name has an extension: single-page apps route in the browser;
//   - 404.html, or a line of text, with status 404.
//
// Names that begin with a dot are not found, except /.well-known; nor are *.env, and aloft.yml, up.json and Procfile beside the
// first index.html. Behind a prefix use [http.StripPrefix]; redirects are
// relative.
func New(root *os.Root, options Options) *Handler {
	if options.Memory == 0 {
		options.Memory = 64 << 20
	}
	return &Handler{root: root, cache: newCache(options.Memory), encodings: options.Encodings}
}

// Has reports whether the handler has a file for a URL path of its own, so that whoever stands before it can ask someone
// else otherwise. Fallbacks such as 404.html and 200.html do not count.
func (h *Handler) Has(urlPath string) bool {
	_, redirect, found := h.find(urlPath)
	return redirect || found
}

// ServeHTTP answers GET and HEAD.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed: these are files", http.StatusMethodNotAllowed)
		return
	}
	name, redirect, found := h.find(r.URL.Path)
	switch {
	case redirect:
		// Relative and behind "./", so that no name can be taken for a host or a scheme.
		target := url.URL{Path: "./" + path.Base(r.URL.Path) + "/", RawQuery: r.URL.RawQuery}
		w.Header().Set("Location", target.String())
		w.WriteHeader(http.StatusMovedPermanently)
	case found:
		h.serve(w, r, name)
	case path.Ext(r.URL.Path) == "" && h.kind("200.html") == regular:
		h.serve(w, r, "200.html")
	default:
		h.notFound(w, r)
	}
}

// find returns the file that a URL path stands for, or that the path needs a slash at its end.
func (h *Handler) find(urlPath string) (name string, redirect, found bool) {
	name = strings.TrimPrefix(path.Clean("/"+urlPath), "/")
	slash := strings.HasSuffix(urlPath, "/")
	if hidden(name) || strings.ContainsAny(name, "\x00\\") {
		return "", false, false
	}
	if name == "" {
		return "index.html", false, h.kind("index.html") == regular
	}
	switch h.kind(name) {
	case directory:
		if h.kind(name+"/index.html") == regular {
			return name + "/index.html", !slash, slash
		}
	case regular:
		return name, false, !slash
	case nothing:
	}
	return name + ".html", false, !slash && h.kind(name+".html") == regular
}

// hidden reports whether a name is not for visitors: of what begins with a dot, of what aloft itself reads, of config.
func hidden(name string) bool {
	lower := strings.ToLower(name) // as file systems may take it
	if lower == "aloft.yml" || lower == "up.json" || lower == "procfile" || strings.HasSuffix(lower, ".env") {
		return true
	}
	for i, part := range strings.Split(name, "/") {
		if strings.HasPrefix(part, ".") && (i > 0 || part != ".well-known") {
			return true
		}
	}
	return false
}

// kind says what there is of a name: nothing, a regular file or a directory.
type kind int

const (
	nothing kind = iota
	regular
	directory
)

func (h *Handler) kind(name string) kind {
	info, err := h.root.Stat(name)
	switch {
	case err != nil:
		return nothing
	case info.Mode().IsRegular():
		return regular
	case info.IsDir():
		return directory
	}
	return nothing
}

// serve answers with a file. What can go wrong now is that it went away or may not be read.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, name string) {
	file, info, err := h.open(name)
	if err != nil {
		h.notFound(w, r)
		return
	}
	defer file.Close()
	mediaType := contentType(name, file)
	header := w.Header()
	header.Set("Content-Type", mediaType)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", cacheControl(name))
	var encoding *Encoding
	if compressible(mediaType) {
		header.Add("Vary", "Accept-Encoding")
		// A range is of the file itself: parts of a compressed form are of no use to those who ask for ranges.
		if r.Header.Get("Range") == "" {
			encoding = negotiate(r.Header.Values("Accept-Encoding"), h.encodings)
		}
	}
	v, err := h.cache.get(name, encoding, file, info)
	if err != nil {
		http.Error(w, "the file cannot be read", http.StatusInternalServerError)
		return
	}
	header.Set("Etag", v.etag)
	var body io.ReadSeeker = file
	if v.body != nil {
		header.Set("Content-Encoding", encoding.Name)
		header.Set("Content-Length", strconv.Itoa(len(v.body)))
		body = bytes.NewReader(v.body)
	}
	http.ServeContent(w, r, name, time.Time{}, body)
}

func (h *Handler) open(name string) (*os.File, fs.FileInfo, error) {
	file, err := h.root.Open(name)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		_ = file.Close()
		return nil, nil, err
	}
	return file, info, nil
}

func (h *Handler) notFound(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-cache")
	if h.kind("404.html") == regular {
		if file, info, err := h.open("404.html"); err == nil {
			defer file.Close()
			header.Set("Content-Type", contentType("404.html", file))
			header.Set("X-Content-Type-Options", "nosniff")
			header.Set("Content-Length", strconv.FormatInt(info.Size(), 10))
			w.WriteHeader(http.StatusNotFound)
			if r.Method == http.MethodGet {
				_, _ = io.Copy(w, file) // the client went away; nobody is left to tell
			}
			return
		}
	}
	http.Error(w, "not found", http.StatusNotFound)
}
