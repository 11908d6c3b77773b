package proxy

import (
	"bufio"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// field is one header line.
type field struct{ key, value string }

// response is what an app's response head says.
type response struct {
	status  int
	length  int64 // of the body; -1 if not said
	chunked bool
	old     bool // HTTP/1.0
	close   bool // the app closes the connection after it
}

var (
	errNoResponse = errors.New("the app closed the connection without an answer")
	errMalformed  = errors.New("the app's answer is not HTTP")
	errTooLarge   = errors.New("the head of the app's answer is too large")
)

// readHead appends the bytes of a head, up to and including its empty line, to buf. If nothing at all came it returns
// errNoResponse with the cause.
func readHead(r *bufio.Reader, buf []byte, limit int) ([]byte, error) {
	start := 0
	for {
		part, err := r.ReadSlice('\n')
		buf = append(buf, part...)
		switch {
		case len(buf) > limit:
			return buf, errTooLarge
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && len(buf) == 0:
			return buf, errors.Join(errNoResponse, err)
		case err != nil:
			return buf, errors.Join(errMalformed, err)
		}
		if line := buf[start:]; len(line) == 1 || len(line) == 2 && line[0] == '\r' {
			return buf, nil
		}
		start = len(buf)
	}
}

// parseResponse reads a head into a response and its fields, which it appends to fields. It is strict where leniency would
// let two readers see two messages, as RFC 9112 sections 5 and 6 ask of a proxy.
func parseResponse(head string, fields []field) (response, []field, error) {
	line, rest := cutLine(head)
	res := response{length: -1}
	if len(line) < 12 || !strings.HasPrefix(line, "HTTP/1.") || line[8] != ' ' || !digits(line[7:8]) || !digits(line[9:12]) ||
		len(line) > 12 && line[12] != ' ' {
		return res, fields, errMalformed
	}
	res.status = int(line[9]-'0')*100 + int(line[10]-'0')*10 + int(line[11]-'0')
	res.old = line[7] == '0'
	res.close = res.old
	if res.status < 100 {
		return res, fields, errMalformed
	}
	for rest != "" {
		if line, rest = cutLine(rest); line == "" {
			break
		}
		f, ok := parseField(line)
		if !ok {
			return res, fields, errMalformed
		}
		if err := res.note(f); err != nil {
			return res, fields, err
		}
		fields = append(fields, f)
	}
	return res, fields, nil
}

func cutLine(s string) (line, rest string) {
	line, rest, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

func parseField(line string) (field, bool) {
	colon := strings.IndexByte(line, ':')
	if colon <= 0 || !isToken(line[:colon]) {
		return field{}, false
	}
	value := strings.Trim(line[colon+1:], " \t")
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return field{}, false
		}
	}
	return field{http.CanonicalHeaderKey(line[:colon]), value}, true
}

// note takes from a field what it says of the message's length and the connection.
func (res *response) note(f field) error {
	switch f.key {
	case "Content-Length":
		n, err := strconv.ParseInt(f.value, 10, 64)
		if err != nil || n < 0 || !digits(f.value) || res.length >= 0 && res.length != n {
			return errMalformed
		}
		res.length = n
	case "Transfer-Encoding":
		if res.old || res.chunked || !strings.EqualFold(f.value, "chunked") {
			return errMalformed
		}
		res.chunked = true
	case "Connection":
		if !strings.EqualFold(f.value, "keep-alive") && hasToken([]string{f.value}, "close") {
			res.close = true
		}
	}
	return nil
}

// hasBody reports whether a body follows (RFC 9112 section 6.3).
func (res *response) hasBody(method string) bool {
	return method != http.MethodHead && res.status != http.StatusNoContent && res.status != http.StatusNotModified && res.status >= 200
}
