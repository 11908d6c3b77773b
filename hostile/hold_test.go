package hostile_test

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// holds are the app's handlers that do not end before their client does. The app says on /left when the last of them did.
type holds struct{ left atomic.Int64 }

func (h *holds) register(mux *http.ServeMux) {
	mux.HandleFunc("GET /hold", h.noting(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	mux.HandleFunc("POST /hold", h.noting(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	mux.HandleFunc("GET /pour", h.noting(pour))
	mux.HandleFunc("POST /swallow", h.noting(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	mux.HandleFunc("GET /left", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, h.left.Load()) })
}

// noting tells the client that the request has come and notes when it has ended.
func (h *holds) noting(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		next(w, r)
		h.left.Store(time.Now().UnixNano())
	}
}

// pour answers without an end.
func pour(w http.ResponseWriter, _ *http.Request) {
	block := make([]byte, 16<<10)
	for {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}
