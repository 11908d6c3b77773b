package local

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strconv"

	"github.com/aloft-run/aloft/internal/lambdahttp"
	"github.com/aloft-run/aloft/internal/runtimeapi"
)

// stream passes a streamed reply on while it comes.
func (h *eventHandler) stream(w http.ResponseWriter, r *http.Request, reply *runtimeapi.Reply) {
	defer func() { _ = reply.Stream.Close() }()
	decoded, err := lambdahttp.ReadStream(reply.ContentType, reply.Stream)
	if err != nil {
		h.say("a streamed answer: %v", err)
		answer(w, http.StatusBadGateway, "Internal Server Error")
		return
	}
	h.head(w, decoded.Header)
	if h.url != nil && h.url.Whole {
		h.whole(w, r, decoded)
		return
	}
	w.WriteHeader(decoded.Status)
	if r.Method == http.MethodHead {
		return
	}
	flush := http.NewResponseController(w)
	b := make([]byte, 32<<10)
	for {
		n, err := decoded.Body.Read(b)
		if n > 0 {
			if _, writeErr := w.Write(b[:n]); writeErr != nil {
				return
			}
			_ = flush.Flush() // what cannot be flushed goes with the end
		}
		if err == io.EOF {
			return
		}
		if err != nil { // the client must not take it for whole
			panic(http.ErrAbortHandler)
		}
	}
}

// head writes the headers of a reply, and those of a function URL, which win.
func (h *eventHandler) head(w http.ResponseWriter, reply http.Header) {
	maps.Copy(w.Header(), reply)
	if h.url != nil {
		maps.Copy(w.Header(), h.url.Header)
	}
}

// send writes a buffered reply.
func send(w http.ResponseWriter, reply *lambdahttp.Reply) {
	if reply.Length >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(reply.Length, 10))
	}
	w.WriteHeader(reply.Status)
	if reply.Body != nil {
		_, _ = io.Copy(w, reply.Body) // a client that has left has its answer
	}
}

// answer is what API Gateway answers for itself.
func answer(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	body, err := json.Marshal(map[string]string{"message": message})
	if err != nil {
		body = nil
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // as above
}
