// Package wire sends one HTTP/1.1 request again and again over kept connections and times the answers. It does next to
// nothing else, so that the load generator is not what is measured.
package wire

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Result is one measurement. Times are in microseconds.
type Result struct {
	Rate, P50, P99 float64
	Requests       int // with those of the time to warm up
}

// Times are those of one connection's requests, as far as they began after the time to warm up, and the number of all.
type Times struct {
	took []time.Duration
	all  int
}

// Add takes in a request that has just been answered.
func (t *Times) Add(begin, warm time.Time) {
	t.all++
	if begin.After(warm) {
		t.took = append(t.took, time.Since(begin))
	}
}

// Run has n clients at work for a fifth of d, to warm up, and then for d.
func Run(n int, d time.Duration, client func(warm, end time.Time) (*Times, error)) (Result, error) {
	warm := time.Now().Add(d / 5)
	end := warm.Add(d)
	taken, errs := make([]*Times, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { taken[i], errs[i] = client(warm, end) })
	}
	wg.Wait()
	if err := cmp.Or(errs...); err != nil {
		return Result{}, err
	}
	var all []time.Duration
	var r Result
	for _, t := range taken {
		all = append(all, t.took...)
		r.Requests += t.all
	}
	slices.Sort(all)
	if len(all) == 0 {
		return r, errors.New("no request was answered")
	}
	at := func(q float64) float64 { return float64(all[int(q*float64(len(all)-1))].Microseconds()) }
	r.Rate, r.P50, r.P99 = float64(len(all))/d.Seconds(), at(.5), at(.99)
	return r, nil
}

// Client sends the request over a connection until the end, and closes it.
func Client(c net.Conn, request []byte, warm, end time.Time) (*Times, error) {
	defer c.Close()
	r, t := bufio.NewReaderSize(c, 64<<10), new(Times)
	for {
		begin := time.Now()
		if begin.After(end) {
			return t, nil
		}
		if _, err := c.Write(request); err != nil {
			return nil, err
		}
		if err := Answer(r); err != nil {
			return nil, err
		}
		t.Add(begin, warm)
	}
}

// Answer reads one response, which must have the status 200 and say how long it is.
func Answer(r *bufio.Reader) error {
	length, chunked := -1, false
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.Contains(line, []byte(" 200")) {
			return fmt.Errorf("answer %q", line)
		}
		if len(line) == 2 {
			break
		}
		if len(line) > 16 && bytes.EqualFold(line[:15], []byte("content-length:")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[15:]))); err != nil {
				return err
			}
		}
		chunked = chunked || len(line) > 18 && bytes.EqualFold(line[:18], []byte("transfer-encoding:"))
	}
	switch {
	case chunked:
		if _, err := io.Copy(io.Discard, httputil.NewChunkedReader(r)); err != nil {
			return err
		}
		_, err := r.Discard(len("\r\n")) // after the last chunk
		return err
	case length < 0:
		return errors.New("answer without a length")
	}
	_, err := io.CopyN(io.Discard, r, int64(length))
	return err
}
