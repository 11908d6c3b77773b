package lambdahttp

import (
	"bytes"
	"io"
	"net/http"

	"github.com/aloft-run/aloft"
)

// Reply is the HTTP response that a function made. Its header has no Content-Length and nothing of the connection.
type Reply struct {
	Status int // 200 to 599
	Header http.Header
	Body   io.Reader // never nil
	Length int64     // how many bytes Body has, to send as Content-Length; -1 where it is unknown or not to be sent
}

// DecodeReply returns the response of a function's buffered reply to a request of a format and method. The reply is an object
// with statusCode (a number or a string of one), headers, multiValueHeaders, cookies, body and isBase64Encoded; for payload
// format 2.0 whatever else is JSON becomes a 200 of type application/json. Where headers and multiValueHeaders have a name
// in common the latter count; cookies count in payload format 2.0 only. A body without Content-Type gets the one that the
// service would give. Answers to HEAD and of status 204 and 304 have no body, whatever the function said.
//
// What a function that failed replies (FunctionError of an invocation) is not for DecodeReply: it would be taken for a value.
//
// Anything else is a malformed reply, for which AWS answers 502: the error is Failed, says what is wrong, and has nothing of
// the payload in it but the names of headers. The body may share memory with data.
func DecodeReply(f Format, method string, data []byte) (*Reply, error) {
	r, err := decodeReply(f, data)
	if err != nil {
		return nil, aloft.Errorf(aloft.Failed, "malformed reply: %w", err).
			WithHint("return an object with statusCode, headers and body, the body a string")
	}
	if method == http.MethodHead || bodyless(r.Status) {
		r.Body, r.Length = http.NoBody, -1
	}
	return r, nil
}

// bodyless reports whether responses of a status never have a body.
func bodyless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusNotModified
}

func decodeReply(f Format, data []byte) (*Reply, error) {
	var buf [12]member
	all, err := members(data, buf[:0])
	if err != nil {
		if f.v2() && validJSON(data) {
			return inferred(data)
		}
		return nil, err
	}
	p := pick(all)
	if p.statusCode == nil && f.v2() {
		return inferred(data)
	}
	h, err := p.head("the reply")
	if err != nil {
		return nil, err
	}
	if f.v2() {
		if err := p.addCookies(&setter{header: h.Header, whose: "the reply"}); err != nil {
			return nil, err
		}
	}
	encoded, err := boolean(p.isBase64Encoded, "isBase64Encoded")
	if err != nil {
		return nil, err
	}
	content, err := body(p.body, encoded)
	if err != nil {
		return nil, err
	}
	if _, typed := h.Header["Content-Type"]; !typed && len(content) > 0 {
		h.Header["Content-Type"] = []string{f.defaultType()}
	}
	h.Body, h.Length = bytes.NewReader(content), int64(len(content))
	return h, nil
}

// inferred makes a response of a value that is not an HTTP reply: a string's content, or the JSON as it is.
func inferred(data []byte) (*Reply, error) {
	content := bytes.Trim(data, " \t\r\n")
	if content[0] == '"' {
		var err error
		if content, err = text(content, "the reply"); err != nil {
			return nil, err
		}
	}
	return &Reply{
		Status: http.StatusOK,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   bytes.NewReader(content),
		Length: int64(len(content)),
	}, nil
}

// defaultType is the Content-Type of a reply that has none.
func (f Format) defaultType() string {
	switch f {
	case APIGatewayV2:
		return "text/plain; charset=utf-8"
	case ALB, ALBMulti:
		return "application/octet-stream"
	case APIGatewayV1, FunctionURL:
	}
	return "application/json"
}
