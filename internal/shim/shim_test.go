package shim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/lambdahttp"
	"github.com/aloft-run/aloft/internal/shim"
	"github.com/aloft-run/aloft/internal/shim/shimtest"
)

// idleTime is how long a server keeps idle connections that closes them.
const idleTime = 120 * time.Millisecond

// serverWord makes the test binary a web server.
const serverWord = "web-server"

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == serverWord {
		server(os.Args[2])
		return
	}
	if filepath.Base(os.Args[0]) == "bootstrap" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		os.Exit(shim.Run(ctx, shim.Program{Args: os.Args[1:], Env: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr}))
	}
	os.Exit(m.Run())
}

// build returns the shim to test: the program as it is released, or this one if that finds races.
func build(t *testing.T) string {
	t.Helper()
	if !raced {
		return shimtest.Build(t)
	}
	link, exe := filepath.Join(t.TempDir(), "bootstrap"), self(t, "").Command[0]
	if err := os.Symlink(exe, link); err != nil {
		t.Fatal(err)
	}
	return link
}

// server is a web server that listens as it is told: on PORT, on a port of its own, on a Unix socket.
func server(how string) {
	network, addr := "tcp", "127.0.0.1:"+os.Getenv("PORT")
	switch how {
	case "any":
		addr = ":0"
	case "unix":
		network, addr = "unix", os.Getenv("SOCKET")
	case "metrics first":
		metrics, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		go func() { _ = http.Serve(metrics, http.NotFoundHandler()) }()
		time.Sleep(100 * time.Millisecond)
	case "checked":
		check, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("CHECK"))
		if err != nil {
			panic(err)
		}
		var ready atomic.Bool
		go func() {
			panic(http.Serve(check, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/ready" || !ready.Swap(true) { // asked again it is
					w.WriteHeader(http.StatusInternalServerError)
				}
			})))
		}()
		time.Sleep(100 * time.Millisecond)
	case "crash":
		fmt.Println("one line before the end\nno database")
		os.Exit(3)
	case "late":
		time.Sleep(11 * time.Second)
	case "mute":
		select {}
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	go func() {
		<-term
		fmt.Println("the server was asked to end")
		os.Exit(0)
	}()
	l, err := net.Listen(network, addr)
	if err != nil {
		panic(err)
	}
	handler, idle := http.HandlerFunc(serve), time.Duration(0)
	switch how {
	case "events":
		handler = (&events{met: make(chan struct{})}).serve
	case "closing":
		closing(l)
	case "serial":
		serial(l)
	case "idle":
		idle = idleTime
	}
	panic((&http.Server{Handler: handler, IdleTimeout: idle}).Serve(l))
}

// events says what it is asked, as JSON, and does what events tell it to.
type events struct {
	waiting atomic.Int32
	met     chan struct{}
}

func (e *events) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var event struct{ Do string }
	_ = json.Unmarshal(body, &event)
	w.Header().Set("X-Seen", r.Header.Get("Authorization"))
	switch {
	case r.URL.Path == "/missing":
		w.WriteHeader(http.StatusNotFound)
	case r.URL.Path == "/half":
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, "no database")
	case r.URL.Path == "/late half":
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, "no database")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	case r.URL.Path == "/teapot":
		w.WriteHeader(http.StatusTeapot)
	case event.Do == "fail":
		http.Error(w, "it cannot", http.StatusInternalServerError)
	case event.Do == "exit":
		os.Exit(7)
	case event.Do == "words":
		fmt.Fprint(w, "all right")
	case event.Do == "meet":
		if e.waiting.Add(1) == 4 {
			close(e.met)
		}
		<-e.met
		fmt.Fprint(w, `"met"`)
	default:
		id, _, _ := strings.Cut(r.Header.Get("X-Request-Id"), "-")
		trace, _, _ := strings.Cut(r.Header.Get("X-Amzn-Trace-Id"), "=")
		_ = json.NewEncoder(w).Encode(strings.Join([]string{
			r.Method, r.RequestURI, r.Header.Get("X-Aloft-Event-Source"), r.Header.Get("Content-Type"), id, trace, string(body),
		}, " "))
	}
}

func serve(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/exit":
		os.Exit(7)
	case "/slow":
		time.Sleep(time.Minute)
	case "/half":
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\n\r\nhalf") // only the connection's end would say that it is whole
			time.Sleep(time.Minute)
		}
	case "/first":
		fmt.Fprint(w, "first")
		_ = http.NewResponseController(w).Flush()
		conn, err := net.Dial("tcp", r.URL.Query().Get("then"))
		if err == nil {
			_, _ = conn.Read(make([]byte, 1)) // until it is closed
			fmt.Fprint(w, " last")
		}
		return
	case "/pid":
		fmt.Fprint(w, os.Getpid())
		return
	case "/env":
		fmt.Fprint(w, os.Getenv(r.URL.Query().Get("name")))
		return
	}
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s %s", r.Method, r.RequestURI, body)
}

func self(t *testing.T, how string) shim.Spec {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return shim.Spec{Command: []string{exe, serverWord, how}}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.Get(url)
	return whole(t, r, err)
}

// whole reads a response.
func whole(t *testing.T, r *http.Response, err error) (int, string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

// TestMetricsFirst: a server that opens another port before PORT is asked on PORT.
func TestMetricsFirst(t *testing.T) {
	l := shimtest.Start(t, shimtest.Function{Shim: build(t), Dir: t.TempDir(), Spec: self(t, "metrics first")})
	<-l.Session.Ready()
	g := l.Gateway(t, lambdahttp.APIGatewayV2)
	for end := time.Now().Add(5 * time.Second); ; {
		status, _ := get(t, g.URL+"/")
		if status == http.StatusOK {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the answer is %d", status)
		}
	}
}

// TestHalf: a response that the function's time cuts off is not taken for a whole one, though its end is the connection's.
func TestHalf(t *testing.T) {
	l := shimtest.Start(t, shimtest.Function{Shim: build(t), Dir: t.TempDir(), Spec: self(t, "port"), Timeout: time.Second})
	<-l.Session.Ready()
	g := l.Gateway(t, lambdahttp.APIGatewayV2)
	if status, body := get(t, g.URL+"/half"); status != http.StatusGatewayTimeout {
		t.Errorf("the answer is %d %q", status, body)
	}
	if status, body := get(t, g.URL+"/after"); status != http.StatusOK {
		t.Errorf("the next answer is %d %q", status, body)
	}
}

// TestAnyPort runs servers that listen on PORT, and servers that ignore it.
func TestAnyPort(t *testing.T) {
	bootstrap := build(t)
	for _, how := range []string{"port", "any", "unix"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			l := shimtest.Start(t, shimtest.Function{
				Shim: bootstrap, Dir: t.TempDir(), Spec: self(t, how), Env: []string{"SOCKET=" + t.TempDir() + "/s"},
			})
			<-l.Session.Ready()
			g := l.Gateway(t, lambdahttp.APIGatewayV2)
			for range 3 {
				if status, body := get(t, g.URL+"/a%20b?x=1&x=2"); status != 200 || !strings.HasPrefix(body, "GET /a%20b?x=1&x=2") {
					t.Errorf("the answer is %d %q", status, body)
				}
			}
		})
	}
}
