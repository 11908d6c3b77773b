package bucket

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// chunks reads the bytes of a body with Content-Encoding aws-chunked: chunks of which each begins with its size in
// hexadecimal digits, and maybe a signature; the last is empty, and trailing headers follow it.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
type chunks struct {
	in    *bufio.Reader
	left  int64
	begun bool
	err   error
}

func newChunks(r io.Reader) *chunks { return &chunks{in: bufio.NewReader(r)} }

// Read implements io.Reader.
func (c *chunks) Read(b []byte) (int, error) {
	for c.left == 0 && c.err == nil {
		c.err = c.next()
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.in.Read(b[:min(int64(len(b)), c.left)])
	c.left -= int64(n)
	if err == io.EOF { //nolint:errorlint // as io.Reader says
		err = io.ErrUnexpectedEOF
	}
	c.err = err
	return n, err
}

// next reads up to the bytes of the next chunk. After the last it reads the trailing headers.
func (c *chunks) next() error {
	if c.begun {
		if _, err := c.line(); err != nil { // the end of the chunk before
			return err
		}
	}
	c.begun = true
	line, err := c.line()
	if err != nil {
		return err
	}
	digits, _, _ := strings.Cut(line, ";")
	c.left, err = strconv.ParseInt(strings.TrimSpace(digits), 16, 64)
	if err != nil || c.left < 0 {
		return fmt.Errorf("a chunk of the body has no size: %w", err)
	}
	if c.left > 0 {
		return nil
	}
	for {
		line, err := c.in.ReadString('\n')
		if strings.TrimSpace(line) == "" || err != nil {
			return io.EOF // what follows the last chunk may be missing
		}
	}
}

func (c *chunks) line() (string, error) {
	line, err := c.in.ReadSlice('\n')
	if err == io.EOF { //nolint:errorlint // as io.Reader says
		err = io.ErrUnexpectedEOF
	}
	return strings.TrimRight(string(line), "\r\n"), err
}
