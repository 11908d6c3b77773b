// Command app is the web server that the conformance suite asks: a program that knows nothing of what it runs on.
package main

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

func main() {
	a := &app{}
	mux := http.NewServeMux()
	mux.HandleFunc("/", echo)
	mux.HandleFunc("/status/{code}", status)
	mux.HandleFunc("/bytes/{n}", sendBytes)
	mux.HandleFunc("/zeros/{n}", zeros)
	mux.HandleFunc("/cookies", cookies)
	mux.HandleFunc("/repeated", repeated)
	mux.HandleFunc("/gzip", zipped)
	mux.HandleFunc("/stream", stream)
	mux.HandleFunc("/broken", broken)
	mux.HandleFunc("/hangup", hangUp)
	mux.HandleFunc("/ignores", ignores)
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) { wait(r, time.Minute) })
	mux.HandleFunc("/exit", func(http.ResponseWriter, *http.Request) { os.Exit(7) })
	mux.HandleFunc("/env/{name}", func(w http.ResponseWriter, r *http.Request) {
		value, set := os.LookupEnv(r.PathValue("name"))
		_, _ = fmt.Fprintf(w, "%t %s", set, value)
	})
	mux.HandleFunc("/dir", func(w http.ResponseWriter, _ *http.Request) {
		text, err := os.ReadFile("data.txt")
		_, _ = fmt.Fprint(w, string(text), err)
	})
	mux.HandleFunc("POST /events/{source}", a.event)
	mux.HandleFunc("/seen", a.tell)
	mux.HandleFunc("/send", send)
	server := &http.Server{Addr: os.Getenv("HOST") + ":" + os.Getenv("PORT"), Handler: mux, ReadHeaderTimeout: time.Minute}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
	os.Exit(1)
}

// Request is what echo answers.
type Request struct {
	Method string      `json:"method"`
	Path   string      `json:"path"`
	Query  string      `json:"query"`
	Host   string      `json:"host"`
	Header http.Header `json:"header"`
	Length int         `json:"length"`
	SHA256 string      `json:"sha256"` // of the body
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	sum := sha256.Sum256(body)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Method", r.Method)
	_ = json.NewEncoder(w).Encode(Request{r.Method, r.URL.Path, r.URL.RawQuery, r.Host, r.Header, len(body), hex.EncodeToString(sum[:])})
}

func number(r *http.Request, name string) int {
	n, _ := strconv.Atoi(r.PathValue(name))
	return n
}

func status(w http.ResponseWriter, r *http.Request) {
	code := number(r, "code")
	if code >= 300 && code < 400 {
		w.Header().Set("Location", "/elsewhere?x=1")
	}
	w.Header().Set("X-Own", "yes")
	w.WriteHeader(code)
	if code != http.StatusNoContent && code != http.StatusNotModified {
		_, _ = fmt.Fprintf(w, "status %d", code)
	}
}

// sendBytes sends all values of a byte, again and again.
func sendBytes(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "image/png")
	b := make([]byte, number(r, "n"))
	for i := range b {
		b[i] = byte(i)
	}
	_, _ = w.Write(b)
}

func zeros(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, strings.Repeat("0", number(r, "n")))
}

func cookies(w http.ResponseWriter, _ *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "a", Value: "1", Path: "/", HttpOnly: true})
	http.SetCookie(w, &http.Cookie{Name: "b", Value: "two, three", Expires: time.Unix(1_900_000_000, 0)})
	_, _ = io.WriteString(w, "baked")
}

func repeated(w http.ResponseWriter, _ *http.Request) {
	w.Header().Add("X-Repeated", "one")
	w.Header().Add("X-Repeated", "two")
	w.Header().Set("X-Umlaut", "grün")
	_, _ = io.WriteString(w, "said twice")
}

func zipped(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Content-Type", "text/plain")
	z := gzip.NewWriter(w)
	_, _ = io.WriteString(z, strings.Repeat("small ", 100))
	_ = z.Close()
}

// stream sends a line, and a moment later another.
func stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, "data: one\n\n")
	_ = http.NewResponseController(w).Flush()
	wait(r, 500*time.Millisecond)
	_, _ = io.WriteString(w, "data: two\n\n")
}

// broken sends less than it says.
func broken(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, "not all of it")
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// ignores answers without reading the request's body.
func ignores(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusRequestEntityTooLarge)
	_, _ = io.WriteString(w, "no, thanks")
}

func wait(r *http.Request, d time.Duration) {
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	}
}

// app remembers the events it got.
type app struct {
	mu   sync.Mutex
	seen []string
}

// event fails at messages with "bad" in them the first time: at one of them alone if it says "partly".
func (a *app) event(w http.ResponseWriter, r *http.Request) {
	var event struct {
		Records []struct {
			ID   string `json:"messageId"`
			Body string `json:"body"`
		} `json:"Records"`
	}
	if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	type item struct {
		ID string `json:"itemIdentifier"`
	}
	var failures []item
	whole := false
	for _, record := range event.Records {
		known := false
		for _, s := range a.seen {
			known = known || strings.HasSuffix(s, " "+record.Body)
		}
		a.seen = append(a.seen, r.PathValue("source")+" "+r.Header.Get("X-Aloft-Event-Source")+" "+record.Body)
		if !known && strings.HasPrefix(record.Body, "bad") {
			whole = whole || !strings.HasPrefix(record.Body, "bad partly")
			failures = append(failures, item{record.ID})
		}
	}
	if whole {
		http.Error(w, "cannot", http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"batchItemFailures": failures})
}

func (a *app) tell(w http.ResponseWriter, _ *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, _ = io.WriteString(w, strings.Join(a.seen, "\n"))
}

// send puts the message of the body on the queue jobs. The signature is that of nobody: on a machine of aloft's the access key
// says who asks.
func send(w http.ResponseWriter, r *http.Request) {
	message, _ := io.ReadAll(r.Body)
	body, err := json.Marshal(map[string]string{"QueueUrl": os.Getenv("JOBS_QUEUE_URL"), "MessageBody": string(message)})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	call, err := http.NewRequestWithContext(r.Context(), http.MethodPost, os.Getenv("AWS_ENDPOINT_URL_SQS"), strings.NewReader(string(body)))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	call.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
	call.Header.Set("Content-Type", "application/x-amz-json-1.0")
	call.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+os.Getenv("AWS_ACCESS_KEY_ID")+"/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := (&http.Client{}).Do(call)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body)
}
