package http1

import "net/http"

// Parse returns the request at the beginning of p and the size of its head; nil if it is not for a Server. more reports that it
// may become one.
func Parse(p []byte) (r *http.Request, size int, more bool) {
	r = new(http.Request)
	size, verdict := parse(p, r)
	if verdict != whole {
		r = nil
	}
	return r, size, verdict == partial
}
