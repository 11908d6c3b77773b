package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// dial connects, with TLS if asked for. Certificates are not what is measured: they are not checked.
func dial(addr string, secure bool, protocol string) (net.Conn, error) {
	if !secure {
		return net.Dial("tcp", addr)
	}
	c, err := tls.Dial("tcp", addr, &tls.Config{ServerName: host, InsecureSkipVerify: true, NextProtos: []string{protocol}})
	if err == nil && c.ConnectionState().NegotiatedProtocol != protocol {
		return nil, fmt.Errorf("%s speaks %q", addr, c.ConnectionState().NegotiatedProtocol)
	}
	return c, err
}

// client sends the request over one connection until the end.
func client(addr string, secure bool, request []byte, warm, end time.Time) (*times, error) {
	c, err := dial(addr, secure, "http/1.1")
	if err != nil {
		return nil, err
	}
	defer c.Close()
	r, t := bufio.NewReaderSize(c, 64<<10), new(times)
	for {
		begin := time.Now()
		if begin.After(end) {
			return t, nil
		}
		if _, err := c.Write(request); err != nil {
			return nil, err
		}
		if err := answer(r); err != nil {
			return nil, err
		}
		t.add(begin, warm)
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
