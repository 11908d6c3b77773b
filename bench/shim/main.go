// Command shim measures what runs inside of AWS Lambda in front of a web server: events a second through the shim to a Go server and
// back, beside a handler that is written with AWS's client for Go and only sends the body back, and beside AWS's adapter for Go
// with a reverse proxy as its handler, which is how programs like apex/up's are made; in turns within one run, all under
// aloft's Runtime API. Then how soon each asks for work first, and how large it is.
//
//	go run ./shim -rounds 5
//
// Figures of one run compare; figures of two runs do not: machines are shared.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/aloft-run/aloft/bench/report"
	"github.com/aloft-run/aloft/internal/shim"
	"github.com/aloft-run/aloft/internal/shim/shimbin"
)

type options struct {
	duration time.Duration
	rounds   int
	starts   int
}

func main() {
	if len(os.Args) > 1 {
		if part := map[string]func(){"echo": echo, "adapter": adapter, "server": server}[os.Args[1]]; part != nil {
			part()
			return
		}
	}
	var o options
	flag.DurationVar(&o.duration, "duration", time.Second, "time of one measurement")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds; the median counts")
	flag.IntVar(&o.starts, "starts", 20, "starts of each; the median counts")
	flag.Parse()
	report.Main("bench/shim", func(ctx context.Context, out io.Writer) error { return run(ctx, out, o) })
}

// subject is something that answers events.
type subject struct {
	name string
	path string
	args []string
	env  []string

	rates map[string][]float64 // events a second, by load
	times map[string][]float64 // median of each round, in microseconds
	first []float64            // until the first poll, in milliseconds
	bytes int64
}

// load is a kind of event.
type load struct {
	name   string
	event  []byte
	length int // of the body
}

func run(ctx context.Context, out io.Writer, o options) error {
	dir, err := os.MkdirTemp("", "aloft-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	all, err := subjects(ctx, dir)
	if err != nil {
		return err
	}
	loads := loads()
	for round := range o.rounds + 1 { // the first does not count
		for _, l := range loads {
			for _, s := range all {
				if err := s.measure(ctx, l, o.duration, round > 0); err != nil {
					return fmt.Errorf("%s, %s: %w", s.name, l.name, err)
				}
			}
		}
	}
	for range o.starts {
		for _, s := range all {
			if err := s.start(ctx); err != nil {
				return fmt.Errorf("start %s: %w", s.name, err)
			}
		}
	}
	tell(out, all, loads)
	return nil
}

func subjects(ctx context.Context, dir string) ([]*subject, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	program, _, err := shimbin.Binary(ctx, runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	bootstrap := filepath.Join(dir, "bootstrap")
	if err := os.WriteFile(bootstrap, program, 0o755); err != nil {
		return nil, err
	}
	spec, err := json.Marshal(shim.Spec{Command: []string{self, "server"}})
	if err != nil {
		return nil, err
	}
	files, err := json.Marshal(shim.Spec{Static: []shim.Static{{}}})
	if err != nil {
		return nil, err
	}
	root := "LAMBDA_TASK_ROOT=" + dir
	all := []*subject{
		{name: "shim", path: bootstrap, env: []string{root, shim.SpecVariable + "=" + string(spec)}, bytes: int64(len(program))},
		{name: "echo (aws-lambda-go)", path: self, args: []string{"echo"}},
		{name: "adapter + reverse proxy", path: self, args: []string{"adapter"}},
		{name: "shim, files only", path: bootstrap, env: []string{root, shim.SpecVariable + "=" + string(files)}},
	}
	for _, s := range all {
		s.rates, s.times = map[string][]float64{}, map[string][]float64{}
	}
	return all, nil
}

func loads() []load {
	text := strings.Repeat("0123456789abcdef", 64)
	return []load{
		{"1 KB", event("text/plain", text, false), len(text)},
		{"100 KB base64", event("image/png", encoded(100<<10), true), 100 << 10},
		{"3 MB base64", event("image/png", encoded(3<<20), true), 3 << 20},
	}
}

func encoded(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * i >> 3)
	}
	return base64.StdEncoding.EncodeToString(b)
}

// event is one of an HTTP API, as it comes from one.
func event(contentType, body string, isBase64 bool) []byte {
	text, err := json.Marshal(map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": "/echo", "rawQueryString": "a=1&b=2", "cookies": []string{"session=abc"},
		"headers": map[string]string{
			"accept": "*/*", "accept-encoding": "gzip", "content-type": contentType, "host": "a1b2c3.execute-api.eu-central-1.amazonaws.com",
			"user-agent": "bench", "x-amzn-trace-id": "Root=1-5759e988-bd862e3fe1be46a994272793", "x-forwarded-for": "203.0.113.7",
			"x-forwarded-port": "443", "x-forwarded-proto": "https",
		},
		"queryStringParameters": map[string]string{"a": "1", "b": "2"},
		"requestContext": map[string]any{
			"accountId": "123456789012", "apiId": "a1b2c3", "domainName": "a1b2c3.execute-api.eu-central-1.amazonaws.com", "domainPrefix": "a1b2c3",
			"http":      map[string]string{"method": "POST", "path": "/echo", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "bench"},
			"requestId": "id", "routeKey": "$default", "stage": "$default", "time": "12/Mar/2026:19:03:58 +0000", "timeEpoch": 1583348638390,
		},
		"body": body, "isBase64Encoded": isBase64,
	})
	if err != nil {
		panic(err) // texts can be written
	}
	return text
}

func tell(out io.Writer, all []*subject, loads []load) {
	t := report.NewTable("", "1 KB text, events/s (p50)", "100 KB base64", "3 MB base64", "start to first poll, ms", "size, MB")
	for _, s := range all {
		row := []string{s.name}
		for _, l := range loads {
			if len(s.rates[l.name]) == 0 {
				row = append(row, "")
				continue
			}
			row = append(row, fmt.Sprintf("%s (%s µs)", report.Figure(report.Median(s.rates[l.name])), report.Figure(report.Median(s.times[l.name]))))
		}
		size := ""
		if s.bytes > 0 {
			size = report.Figure(float64(s.bytes) / 1e6)
		}
		t.Add(append(row, report.Figure(report.Median(s.first)), size)...)
	}
	t.Print(out, "Events")
	goals := report.NewGoals()
	ratio := func(other *subject, l load) float64 {
		return report.Median(all[0].rates[l.name]) / report.Median(other.rates[l.name])
	}
	for i, l := range loads {
		goals.Judge("events a second, shim by echo, "+l.name, ratio(all[1], l), report.AtLeast(1, " ×"))
		goals.Judge("events a second, shim by adapter, "+l.name, ratio(all[2], l), report.AtLeast([]float64{2.2, 3, 3}[i], " ×"))
	}
	goals.Judge("exec to first poll", report.Median(all[3].first), report.AtMost(10, " ms"))
	goals.Judge("exec to first poll, with a Go server ready", report.Median(all[0].first), report.AtMost(10, " ms"))
	goals.Judge("size", float64(all[0].bytes)/1e6, report.AtMost(6, " MB"))
	goals.Print(out, "Goals")
}
