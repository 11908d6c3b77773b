package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"github.com/aloft-run/aloft/bench/report"
	"github.com/aloft-run/aloft/internal/runtimeapi"
)

// echo is a function that sends the body back as it came, without a look at it.
func echo() {
	lambda.Start(func(_ context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		return events.APIGatewayV2HTTPResponse{
			StatusCode: http.StatusOK, Headers: map[string]string{"Content-Type": e.Headers["content-type"]}, Body: e.Body, IsBase64Encoded: e.IsBase64Encoded,
		}, nil
	})
}

// server is a web server that sends bodies back.
func server() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		w.Header().Set("Content-Length", strconv.FormatInt(r.ContentLength, 10))
		_, _ = w.Write(body) // who asked has gone if it fails
	})
	s := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: handler, ReadHeaderTimeout: time.Minute}
	fmt.Fprintln(os.Stderr, s.ListenAndServe())
}

// adapter is AWS's adapter in front of the same server, which it starts.
func adapter() {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	addr := l.Addr().String()
	_ = l.Close()
	self, _ := os.Executable()
	cmd := exec.Command(self, "server")
	cmd.Env = append(os.Environ(), "PORT="+addr[strings.LastIndexByte(addr, ':')+1:])
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	go func() { // it ends with who started it
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		os.Exit(0)
	}()
	for {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			_ = conn.Close()
			break
		}
		<-time.After(time.Millisecond)
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})
	proxy.Transport = &http.Transport{DisableKeepAlives: true} // connections do not outlive a freeze
	lambda.Start(httpadapter.NewV2(proxy).ProxyWithContext)
}

// environment is one that runs a subject.
type environment struct {
	session *runtimeapi.Session
	cmd     *exec.Cmd
	stdin   io.Closer
	ready   time.Duration
}

func (s *subject) run(ctx context.Context) (*environment, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &environment{session: runtimeapi.Serve(l), cmd: exec.CommandContext(ctx, s.path, s.args...)}
	e.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "AWS_LAMBDA_RUNTIME_API=" + l.Addr().String()}, s.env...)
	e.cmd.Stderr = os.Stderr
	if e.stdin, err = e.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	began := time.Now()
	if err := e.cmd.Start(); err != nil {
		return nil, err
	}
	<-e.session.Ready()
	e.ready = time.Since(began)
	if f := e.session.InitFailure(); f != nil {
		return nil, fmt.Errorf("%s: %s", f.Type, f.Payload)
	}
	return e, nil
}

func (e *environment) stop() {
	_ = e.stdin.Close()
	_ = e.cmd.Process.Signal(os.Interrupt)
	_ = e.cmd.Wait()
	e.session.Close()
}

// start measures one start.
func (s *subject) start(ctx context.Context) error {
	e, err := s.run(ctx)
	if err != nil {
		return err
	}
	defer e.stop()
	s.first = append(s.first, report.MS(e.ready))
	return nil
}

// measure invokes for a while, one event after the other.
func (s *subject) measure(ctx context.Context, l load, d time.Duration, counts bool) error {
	if strings.Contains(s.name, "files only") {
		return nil
	}
	e, err := s.run(ctx)
	if err != nil {
		return err
	}
	defer e.stop()
	var times []float64
	began := time.Now()
	for i := 0; time.Since(began) < d; i++ {
		at := time.Now()
		reply, err := e.session.Invoke(ctx, &runtimeapi.Call{ID: "request-" + strconv.Itoa(i), Payload: l.event, Deadline: at.Add(time.Minute)})
		if err != nil {
			return err
		}
		if reply.Failure != nil || len(reply.Payload) < l.length {
			return fmt.Errorf("the answer is %.200s %v", reply.Payload, reply.Failure)
		}
		times = append(times, float64(time.Since(at).Nanoseconds())/1000)
	}
	if counts {
		s.rates[l.name] = append(s.rates[l.name], float64(len(times))/time.Since(began).Seconds())
		s.times[l.name] = append(s.times[l.name], report.Median(times))
	}
	return nil
}
