package edge

import (
	"encoding/json"
	"html"
	"net/http"
	"strconv"
	"strings"
)

// Explain says in a few words what a status of the platform's own means, whatever the app.
func Explain(status int) string {
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

// Page returns an error page and its content type; id is the request's. Of HTML and JSON it is what the Accept header names
// first, text if it names neither.
func Page(accept string, status int, text, id string) (page, contentType string) {
	json, htm := strings.Index(accept, "json"), strings.Index(accept, "text/html")
	title := strconv.Itoa(status) + " " + http.StatusText(status)
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
