package shim

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
)

// stream begins a streamed response.
func (c *client) stream(ctx context.Context, id, contentType string) (*stream, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	s := &stream{c: c}
	_, err := c.conn.Write([]byte("POST " + runtimePath + "invocation/" + id + "/response HTTP/1.1\r\nHost: " + c.host +
		"\r\nContent-Type: " + contentType + "\r\nLambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n" +
		"Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n"))
	return s, err
}

// stream is a streamed response under way.
type stream struct{ c *client }

// Write sends a chunk.
func (s *stream) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c := s.c
	c.head = append(strconv.AppendInt(c.head[:0], int64(len(p)), 16), "\r\n"...)
	c.whole = append(append(append(c.whole[:0], c.head...), p...), "\r\n"...)
	if _, err := c.conn.Write(c.whole); err != nil {
		return 0, err
	}
	return len(p), nil
}

// end ends the response, with an error if f is not nil.
func (s *stream) end(f *failure) error {
	if s.c.before != nil {
		s.c.before()
	}
	text := "0\r\n"
	if f != nil {
		text += "Lambda-Runtime-Function-Error-Type: " + f.kind + "\r\nLambda-Runtime-Function-Error-Body: " +
			base64.StdEncoding.EncodeToString(f.payload()) + "\r\n"
	}
	if _, err := s.c.conn.Write([]byte(text + "\r\n")); err != nil {
		s.c.close()
		return fmt.Errorf("end the stream: %w", err)
	}
	answer, err := s.c.readHead()
	if err != nil {
		s.c.close()
		return fmt.Errorf("end the stream: %w", err)
	}
	return s.c.done(answer, "a streamed response")
}
