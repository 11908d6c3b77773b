package lambdahttp

import (
	"net/http"
	"strings"
	"unicode/utf8"
)

// requestIsText says whether a request's body goes into the event as it is or in base64. A body that is not UTF-8 or has
// a Content-Encoding is base64 in every format. Of the others
//
//   - HTTP APIs, function URLs and load balancers take as text what is text/*, application/json, application/javascript or
//     application/xml; all else is base64, forms (application/x-www-form-urlencoded), application/problem+json and bodies
//     without a Content-Type included;
//   - REST APIs take all as text, for they know as binary only the types that their owner lists.
func requestIsText(f Format, h http.Header, body []byte) bool {
	if h.Get("Content-Encoding") != "" || f != APIGatewayV1 && !textual(h.Get("Content-Type")) {
		return false
	}
	return utf8.Valid(body)
}

// replyIsText says the same of a reply. What receives a reply takes either form whatever the type, so that text is chosen
// where it is safe and short: UTF-8 without Content-Encoding that is of a textual type or has no control characters, which
// would take six bytes each.
func replyIsText(h http.Header, body []byte) bool {
	if h.Get("Content-Encoding") != "" || !utf8.Valid(body) {
		return false
	}
	return textual(h.Get("Content-Type")) || !hasControls(body)
}

func hasControls(body []byte) bool {
	for {
		n := special(body)
		if n == len(body) {
			return false
		}
		switch body[n] {
		case '"', '\\', '\n', '\r', '\t':
			body = body[n+1:]
		default:
			return true
		}
	}
}

// textual reports whether AWS takes bodies of a Content-Type for text.
func textual(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.TrimSpace(media)
	if len(media) > 5 && strings.EqualFold(media[:5], "text/") {
		return true
	}
	return strings.EqualFold(media, "application/json") || strings.EqualFold(media, "application/javascript") ||
		strings.EqualFold(media, "application/xml")
}

// appendBody appends body and isBase64Encoded.
func appendBody(dst, body []byte, text bool) []byte {
	dst = appendKey(dst, "body")
	if text {
		dst = appendText(dst, body)
	} else {
		dst = appendBase64(dst, body)
	}
	return appendBool(dst, "isBase64Encoded", !text)
}
