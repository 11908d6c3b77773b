package lambdahttp

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/aloft-run/aloft"
)

// IntegrationType is the Content-Type of a streamed reply that begins with a prelude.
const IntegrationType = "application/vnd.awslambda.http-integration-response"

// MaxPrelude is how many bytes the prelude of a streamed reply may have.
const MaxPrelude = 16 << 10

// delimiter separates the prelude from the body. JSON has no NUL, so that the first eight are it.
const delimiter = "\x00\x00\x00\x00\x00\x00\x00\x00"

// ReadStream returns the response of a function's streamed reply. With a content type of [IntegrationType] the stream begins
// with a prelude, an object with statusCode (default 200), headers, multiValueHeaders and cookies, then eight NUL bytes and
// the body; ReadStream returns when the prelude has come. With any other type the stream is the body of a 200.
//
// The reply's body is to be read to its end. It is empty for status 204 and 304; what remains of r is then the caller's to
// discard, as it is for requests of method HEAD. Read errors of r are returned as they are; a stream without a valid prelude
// is Failed, as for [DecodeReply].
func ReadStream(contentType string, r io.Reader) (*Reply, error) {
	media, _, _ := strings.Cut(contentType, ";")
	if !strings.EqualFold(strings.TrimSpace(media), IntegrationType) {
		s := &setter{header: http.Header{}, whose: "the reply"}
		if err := s.add("Content-Type", or(contentType, "application/octet-stream")); err != nil {
			return nil, err
		}
		return &Reply{Status: http.StatusOK, Header: s.header, Body: r, Length: -1}, nil
	}
	prelude, rest, err := readPrelude(r)
	if err != nil {
		return nil, err
	}
	reply, err := decodePrelude(prelude)
	if err != nil {
		return nil, aloft.Errorf(aloft.Failed, "malformed prelude of a streamed reply: %w", err)
	}
	reply.Length = -1
	switch {
	case bodyless(reply.Status):
		reply.Body = http.NoBody
	case len(rest) > 0:
		reply.Body = io.MultiReader(bytes.NewReader(rest), r)
	default:
		reply.Body = r
	}
	return reply, nil
}

// readPrelude reads until the delimiter and returns what is before it, and what has been read behind it.
func readPrelude(r io.Reader) (prelude, rest []byte, err error) {
	buf := make([]byte, 0, 4<<10)
	for idle := 0; ; {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		from := max(0, len(buf)-len(delimiter)+1)
		buf = buf[:len(buf)+n]
		if i := bytes.Index(buf[from:], []byte(delimiter)); i >= 0 {
			i += from
			if i > MaxPrelude {
				break
			}
			return buf[:i], buf[i+len(delimiter):], nil // an error comes again with the next read
		}
		if len(buf) >= MaxPrelude+len(delimiter) {
			break
		}
		if errors.Is(err, io.EOF) {
			return nil, nil, aloft.Errorf(aloft.Failed, "the streamed reply ended before its prelude did: eight NUL bytes end it")
		}
		if idle++; n > 0 {
			idle = 0
		}
		if err == nil && idle == 100 {
			err = io.ErrNoProgress
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, aloft.Errorf(aloft.Failed, "the prelude of the streamed reply is longer than %d bytes", MaxPrelude)
}

func decodePrelude(data []byte) (*Reply, error) {
	var buf [8]member
	all, err := members(data, buf[:0])
	if err != nil {
		return nil, err
	}
	p := pick(all)
	if p.statusCode == nil {
		p.statusCode = []byte("200")
	}
	reply, err := p.head("the prelude")
	if err != nil {
		return nil, err
	}
	return reply, p.addCookies(&setter{header: reply.Header, whose: "the prelude"})
}
