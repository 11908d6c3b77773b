package hostile_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/coder/websocket"
)

// runApp is the web server that the tests deploy: this test binary started as "hostile-app VERSION". It says its version
// and one variable on every path, echoes bodies, and holds WebSockets and event streams open.
func runApp(version string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "%s %s\n", version, os.Getenv("COLOUR"))
	})
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, "%s %d\n", version, len(body))
	})
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(300 * time.Millisecond):
		case <-r.Context().Done():
		}
		fmt.Fprintln(w, version)
	})
	new(holds).register(mux)
	mux.HandleFunc("GET /large", large)
	mux.HandleFunc("GET /flood", flood)
	mux.HandleFunc("GET /events", serveEvents(version))
	mux.HandleFunc("GET /socket", serveSocket(version))
	listener, err := net.Listen("tcp", net.JoinHostPort(os.Getenv("HOST"), os.Getenv("PORT")))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: echoing(mux), ReadHeaderTimeout: 10 * time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		fmt.Println("goodbye")
		_ = server.Close()
	}()
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// serveEvents sends an event each 100 ms until the client leaves.
func serveEvents(version string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			fmt.Fprintf(w, "data: %s\n\n", version)
			w.(http.Flusher).Flush()
			select {
			case <-time.After(100 * time.Millisecond):
			case <-r.Context().Done():
				return
			}
		}
	}
}

// serveSocket sends back what it receives, after its version.
func serveSocket(version string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		for {
			kind, message, err := conn.Read(r.Context())
			if err != nil {
				return
			}
			if err := conn.Write(r.Context(), kind, append([]byte(version+" "), message...)); err != nil {
				return
			}
		}
	}
}

// largeBytes is what a slow reader asks for: more than any buffer on the way holds.
const largeBytes = 64 << 20

func large(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", strconv.Itoa(largeBytes))
	block := make([]byte, 16<<10)
	for range largeBytes / len(block) {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// echoing answers below /echo/, before the mux can redirect to what it takes for the same path.
func echoing(mux http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.RequestURI, "/echo/") {
			echo(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// echo answers with the request as the app sees it.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "app sees %s %s %s, %d bytes\n", r.Method, r.RequestURI, r.Host, len(body))
	_ = r.Header.Write(w)
}
