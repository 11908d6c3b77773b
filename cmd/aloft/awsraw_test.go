package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/rogpeppe/go-internal/testscript"
)

// watched is a connection whose reading is watched: how it ended, if the other side ended it.
type watched struct {
	net.Conn

	broken *atomic.Int64
}

// Read reads.
func (c *watched) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		c.broken.Add(1)
	}
	return n, err
}

// rawStream reads streamed answers to their end with no more of a client than net/http: each must be whole and end as the
// protocol has it, and the server must not end a connection.
func rawStream(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 3, "raw-stream FUNCTION EVENT TIMES")
	times, err := strconv.Atoi(args[2])
	ts.Check(err)
	var broken, dialled atomic.Int64
	transport := &http.Transport{MaxIdleConnsPerHost: 4, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, address)
		dialled.Add(1)
		return &watched{c, &broken}, err
	}}
	var first string
	var mu sync.Mutex
	var wait sync.WaitGroup
	slots := make(chan struct{}, 4)
	failures := make(chan error, times)
	for range times {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			said, err := rawAnswer(ts, transport, args[0], args[1])
			mu.Lock()
			defer mu.Unlock()
			if first == "" {
				first = said
			}
			if err == nil && said != first {
				err = fmt.Errorf("an answer is %q, another %q", said, first)
			}
			if err != nil {
				failures <- err
			}
		})
	}
	wait.Wait()
	ended := broken.Load() // before the client ends what is idle
	transport.CloseIdleConnections()
	close(failures)
	for err := range failures {
		ts.Fatalf("%v", err)
	}
	if ended > 0 {
		ts.Fatalf("%d of %d connections were ended by the server", ended, dialled.Load())
	}
	fmt.Fprintf(ts.Stdout(), "%d answers on %d connections\n", times, dialled.Load())
}

// rawAnswer is how a streamed answer is framed and what it holds.
func rawAnswer(ts *testscript.TestScript, transport http.RoundTripper, function, event string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	url := ts.Getenv("AWS_ENDPOINT_URL_LAMBDA") + "/2021-11-15/functions/" + function + "/response-streaming-invocations"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader([]byte(event)))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(event))
	who := aws.Credentials{AccessKeyID: ts.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: ts.Getenv("AWS_SECRET_ACCESS_KEY")}
	if err := v4.NewSigner().SignHTTP(ctx, who, r, hex.EncodeToString(sum[:]), "lambda", ts.Getenv("AWS_REGION"), time.Now()); err != nil {
		return "", err
	}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", fmt.Errorf("read the answer after %d bytes: %w", len(body), err)
	}
	complete := bytes.Count(body, []byte("InvokeComplete"))
	return fmt.Sprintf("%d %v close %t, complete %d, %d bytes", answer.StatusCode, answer.TransferEncoding, answer.Close, complete, len(body)), nil
}
