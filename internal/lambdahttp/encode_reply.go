package lambdahttp

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/aloft-run/aloft"
)

// EncodeReply returns the reply that makes who invoked a function with an event of format f answer with status, header and
// body: the inverse of [DecodeReply]. Fields of the connection are left out, Content-Length too. Load balancers without
// multi-value headers get repeated fields joined with commas, and each Set-Cookie with its name in another case, which is
// how they let several through. It returns Failed for statuses outside of 200 to 599.
func EncodeReply(f Format, status int, h http.Header, body []byte) ([]byte, error) {
	if status < 200 || status > 599 {
		return nil, aloft.Errorf(aloft.Failed, "encode reply: status %d is not in 200 to 599", status)
	}
	text := replyIsText(h, body)
	size := 512 + len(body) + len(body)/16
	if !text {
		size = 512 + base64.StdEncoding.EncodedLen(len(body))
	}
	dst := appendStatus(make([]byte, 0, size), status)
	switch f {
	case APIGatewayV2, FunctionURL:
		dst = appendReplyHead(dst, h)
	case APIGatewayV1, ALBMulti:
		dst = appendMultiFields(dst, h)
	case ALB:
		dst = appendSingleFields(dst, h)
	}
	if f == ALB || f == ALBMulti {
		dst = appendMember(dst, "statusDescription", strings.TrimSpace(strconv.Itoa(status)+" "+http.StatusText(status)))
	}
	return append(appendBody(dst, body, text), '}'), nil
}

// EncodePrelude returns what a streamed reply begins with, the eight NUL bytes included; the body follows. It returns Failed
// for statuses outside of 200 to 599 and for more header than [MaxPrelude] holds.
func EncodePrelude(status int, h http.Header) ([]byte, error) {
	if status < 200 || status > 599 {
		return nil, aloft.Errorf(aloft.Failed, "encode prelude: status %d is not in 200 to 599", status)
	}
	dst := append(appendReplyHead(appendStatus(nil, status), h), '}')
	if len(dst) > MaxPrelude {
		return nil, aloft.Errorf(aloft.Failed, "encode prelude: the response's header is larger than the %d bytes of a prelude", MaxPrelude)
	}
	return append(dst, delimiter...), nil
}

func appendStatus(dst []byte, status int) []byte {
	return appendInt(appendKey(append(dst, '{'), "statusCode"), int64(status))
}

// appendReplyHead appends headers with repeated fields joined, and cookies apart.
func appendReplyHead(dst []byte, h http.Header) []byte {
	var buf [32]string
	dst = append(appendKey(dst, "headers"), '{')
	for _, name := range fieldNames(h, buf[:0], "Set-Cookie") {
		dst = appendString(appendName(dst, name, true), commas(h[name]))
	}
	dst = append(dst, '}')
	if cookies := h["Set-Cookie"]; len(cookies) > 0 {
		dst = appendStrings(appendKey(dst, "cookies"), cookies)
	}
	return dst
}

func appendMultiFields(dst []byte, h http.Header) []byte {
	var buf [32]string
	dst = append(appendKey(dst, "multiValueHeaders"), '{')
	for _, name := range fieldNames(h, buf[:0], "") {
		dst = appendStrings(appendName(dst, name, false), h[name])
	}
	return append(dst, '}')
}

func appendSingleFields(dst []byte, h http.Header) []byte {
	var buf [32]string
	dst = append(appendKey(dst, "headers"), '{')
	for _, name := range fieldNames(h, buf[:0], "Set-Cookie") {
		dst = appendString(appendName(dst, name, false), commas(h[name]))
	}
	for i, cookie := range h["Set-Cookie"] {
		dst = appendString(appendName(dst, variant("Set-Cookie", i), false), cookie)
	}
	return append(dst, '}')
}

// variant returns name with the case of its letters turned as the bits of n say: no two n below 512 give the same.
func variant(name string, n int) string {
	b := []byte(name)
	for i := len(b) - 1; i >= 0 && n > 0; i-- {
		if c := b[i] | 0x20; 'a' <= c && c <= 'z' {
			b[i] ^= byte(n&1) << 5
			n >>= 1
		}
	}
	return string(b)
}
