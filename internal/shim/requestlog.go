package shim

import (
	"encoding/json"
	"time"
)

// logged is a line of the request log.
type logged struct {
	Type   string  `json:"type"` // "request" or "event"
	Method string  `json:"method,omitempty"`
	Path   string  `json:"path,omitempty"` // without the query, which may hold what is nobody's business
	Source string  `json:"source,omitempty"`
	Status int     `json:"status"`
	Millis float64 `json:"ms"`
	Bytes  int64   `json:"bytes"` // of the body that was answered
	ID     string  `json:"requestId"`
	Trace  string  `json:"trace,omitempty"`
}

func (w *worker) logRequest(l logged, began time.Time) {
	if w.log == nil {
		return
	}
	l.Millis = float64(time.Since(began).Microseconds()) / 1000
	if line, err := json.Marshal(l); err == nil {
		w.log(line)
	}
}
