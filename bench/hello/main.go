// Command hello is the Go app of the benchmarks: small, with nothing but the standard library.
package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "Hello, world!") })
	http.HandleFunc("/slow", slow)
	http.HandleFunc("/print", printed)
	fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Getenv("HOST")+":"+os.Getenv("PORT"), nil))
	os.Exit(1)
}

// slow answers after some milliseconds.
func slow(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("ms"))
	time.Sleep(time.Duration(n) * time.Millisecond)
	fmt.Fprintln(w, "Hello, world!")
}

// printed writes lines of about 135 bytes to stdout and answers how many bytes that were, when all are written.
func printed(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("n"))
	out := bufio.NewWriterSize(os.Stdout, 32<<10)
	text := `10.0.0.7 "GET /api/v1/items/4711?page=2 HTTP/1.1" 200 5123 12ms "Mozilla/5.0 (X11; Linux x86_64)" ` + strings.Repeat("x", 20) + " id="
	total := 0
	for i := range n {
		size, _ := fmt.Fprintln(out, text, i)
		total += size
	}
	_ = out.Flush()
	fmt.Fprint(w, total)
}
