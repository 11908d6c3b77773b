package proxy

import (
	"encoding/json"
	"html"
	"net/http"
	"strings"
)

// fail answers with an error page in the form that the client accepts. Text may be "".
func (e *exchange) fail(status int, text string) {
	e.status = status
	if status == statusClientClosed {
		panic(http.ErrAbortHandler) // nobody is left to read an answer
	}
	if text == "" {
		text = explain(status)
	}
	h := e.w.Header()
	page, contentType := errorPage(e.r.Header.Get("Accept"), status, text, e.id)
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

func explain(status int) string {
	switch status {
	case http.StatusBadGateway:
		return "the app closed the connection or answered something that is not HTTP"
	case http.StatusGatewayTimeout:
		return "the app did not answer in time"
	case http.StatusServiceUnavailable:
		return "the app is not ready"
	case http.StatusNotFound:
		return "nothing is here"
	case http.StatusMethodNotAllowed:
		return "this method is not allowed"
	}
	return "this request cannot be served"
}

// errorPage returns the page and its content type: what the Accept header names first decides; text if it names neither.
func errorPage(accept string, status int, text, id string) (page, contentType string) {
	json, htm := strings.Index(accept, "json"), strings.Index(accept, "text/html")
	title := itoa(status) + " " + http.StatusText(status)
	switch {
	case json >= 0 && (htm < 0 || json < htm):
		return jsonPage(status, text, id), "application/json"
	case htm >= 0:
		return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
			`<title>` + title + `</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:15vh auto;padding:0 1em}` +
			`small{color:#777}</style><h1>` + title + `</h1><p>` + html.EscapeString(text) + `</p><small>request ` + id +
			"</small></html>\n", "text/html; charset=utf-8"
	}
	return title + "\n" + text + "\nrequest " + id + "\n", "text/plain; charset=utf-8"
}

func jsonPage(status int, text, id string) string {
	b, _ := json.Marshal(struct { // strings and a number: cannot fail
		Status    int    `json:"status"`
		Error     string `json:"error"`
		RequestID string `json:"requestId"`
	}{status, text, id})
	return string(b) + "\n"
}
