package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// load is what one measurement asks for.
type load struct {
	what  string
	conns int
}

func parseLoad(text string) (load, error) {
	what, conns, _ := strings.Cut(text, "/")
	n, err := strconv.Atoi(conns)
	if err != nil || n < 1 {
		return load{}, fmt.Errorf("load %q is not what/connections", text)
	}
	return load{what, n}, nil
}

// request returns the bytes that each connection sends again and again.
func (l load) request() ([]byte, error) {
	head := " HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: bench\r\nAccept: */*\r\n"
	switch l.what {
	case "hello":
		return []byte("GET /" + head + "\r\n"), nil
	case "100k":
		return []byte("GET /100k" + head + "\r\n"), nil
	case "post1m":
		return append([]byte("POST /"+head+"Content-Length: 1048576\r\n\r\n"), make([]byte, 1<<20)...), nil
	}
	return nil, fmt.Errorf("no load %q", l.what)
}

// result is one measurement. Times are in microseconds.
type result struct{ Rate, P50, P99 float64 }

// measure loads addr from a process of its own.
func measure(ctx context.Context, addr string, l load, d time.Duration) (result, error) {
	exe, err := os.Executable()
	if err != nil {
		return result{}, err
	}
	cmd := exec.CommandContext(ctx, exe, "load", addr, l.what, strconv.Itoa(l.conns), d.String())
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return result{}, err
	}
	var r result
	return r, json.Unmarshal(out, &r)
}

func runLoad(args []string) error {
	conns, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(args[3])
	if err != nil {
		return err
	}
	l := load{args[1], conns}
	request, err := l.request()
	if err != nil {
		return err
	}
	warm := time.Now().Add(d / 5)
	end := warm.Add(d)
	times := make([][]time.Duration, conns)
	errs := make([]error, conns)
	var wg sync.WaitGroup
	for i := range conns {
		wg.Go(func() { times[i], errs[i] = client(args[0], request, warm, end) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	all := slices.Concat(times...)
	slices.Sort(all)
	if len(all) == 0 {
		return fmt.Errorf("no request was answered")
	}
	at := func(q float64) float64 { return float64(all[int(q*float64(len(all)-1))].Microseconds()) }
	return json.NewEncoder(os.Stdout).Encode(result{float64(len(all)) / d.Seconds(), at(.5), at(.99)})
}

// client sends the request over one connection until the end and returns the times of those begun after warm.
func client(addr string, request []byte, warm, end time.Time) ([]time.Duration, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	r := bufio.NewReaderSize(c, 64<<10)
	var times []time.Duration
	for {
		begin := time.Now()
		if begin.After(end) {
			return times, nil
		}
		if _, err := c.Write(request); err != nil {
			return nil, err
		}
		if err := answer(r); err != nil {
			return nil, err
		}
		if begin.After(warm) {
			times = append(times, time.Since(begin))
		}
	}
}

// answer reads one response with a Content-Length.
func answer(r *bufio.Reader) error {
	length := -1
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
	}
	if length < 0 {
		return fmt.Errorf("answer without Content-Length")
	}
	_, err := io.CopyN(io.Discard, r, int64(length))
	return err
}
