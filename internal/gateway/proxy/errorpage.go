package proxy

import (
	"net/http"

	"github.com/aloft-run/aloft/internal/edge"
)

// fail answers with an error page in the form that the client accepts. Text may be "".
func (e *exchange) fail(status int, text string) {
	e.status = status
	if status == statusClientClosed {
		panic(http.ErrAbortHandler) // nobody is left to read an answer
	}
	if text == "" {
		text = edge.Explain(status)
	}
	h := e.w.Header()
	page, contentType := edge.Page(e.r.Header.Get("Accept"), status, text, e.id)
	h["Content-Type"] = []string{contentType}
	h["Content-Length"] = []string{itoa(len(page))}
	h["Cache-Control"] = []string{"no-store"}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	if status == http.StatusBadRequest || e.r.ContentLength != 0 && !e.body.read.Load() {
		e.closeAfter()
	}
	e.w.WriteHeader(status)
	if e.r.Method == http.MethodHead {
		return
	}
	n, _ := e.w.Write([]byte(page))
	e.sent = int64(n)
}
