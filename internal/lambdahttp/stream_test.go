package lambdahttp_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lambdahttp"
)

const nuls = "\x00\x00\x00\x00\x00\x00\x00\x00"

// readers are the ways in which a stream may come.
var readers = map[string]func(io.Reader) io.Reader{
	"at once":         func(r io.Reader) io.Reader { return r },
	"byte by byte":    iotest.OneByteReader,
	"half by half":    iotest.HalfReader,
	"end with data":   iotest.DataErrReader,
	"with pauses":     func(r io.Reader) io.Reader { return &pausing{r: r} },
	"bytes, data end": func(r io.Reader) io.Reader { return iotest.DataErrReader(iotest.OneByteReader(r)) },
}

func TestReadStream(t *testing.T) {
	large := `{"statusCode":200,"headers":{"x":"` + strings.Repeat("y", lambdahttp.MaxPrelude-37) + `"}}`
	for _, test := range []struct {
		name, contentType, stream string
		status                    int
		header                    http.Header
		body                      string
	}{
		{"prelude", lambdahttp.IntegrationType, `{"statusCode":418,"headers":{"x-a":"1"},"cookies":["a=1","b=2"]}` + nuls + "body", 418, http.Header{"X-A": {"1"}, "Set-Cookie": {"a=1", "b=2"}}, "body"},
		{"multi-value", lambdahttp.IntegrationType, `{"statusCode":200,"multiValueHeaders":{"x-a":["1","2"]}}` + nuls, 200, http.Header{"X-A": {"1", "2"}}, ""},
		{"NULs in the body", "Application/Vnd.awslambda.http-integration-response; x=y", `{"headers":{"x":"1"}}` + nuls + nuls + "\x00b" + nuls, 200, http.Header{"X": {"1"}}, nuls + "\x00b" + nuls},
		{"empty prelude", lambdahttp.IntegrationType, `{}` + nuls + "x", 200, nil, "x"},
		{"largest prelude", lambdahttp.IntegrationType, large + nuls + "x", 200, http.Header{"X": {large[34 : len(large)-3]}}, "x"},
		{"204", lambdahttp.IntegrationType, `{"statusCode":204}` + nuls + "x", 204, nil, ""},
		{"no prelude", "text/event-stream", "data: 1\n\n", 200, http.Header{"Content-Type": {"text/event-stream"}}, "data: 1\n\n"},
		{"no type", "", `{"statusCode":500}` + nuls, 200, http.Header{"Content-Type": {"application/octet-stream"}}, `{"statusCode":500}` + nuls},
	} {
		for how, reader := range readers {
			t.Run(test.name+"/"+how, func(t *testing.T) {
				r, err := lambdahttp.ReadStream(test.contentType, reader(strings.NewReader(test.stream)))
				if err != nil {
					t.Fatal(err)
				}
				if r.Length != -1 {
					t.Errorf("length %d", r.Length)
				}
				checkReply(t, r, test.status, test.header, test.body)
			})
		}
	}
}

func TestReadStreamRefuses(t *testing.T) {
	for _, test := range []struct{ stream, want string }{
		{"", "ended before its prelude"},
		{`{"statusCode":200}`, "ended before its prelude"},
		{`{"statusCode":200}` + nuls[1:], "ended before its prelude"},
		{`{"statusCode":200}` + nuls[1:] + "x" + nuls, "not JSON"},
		{nuls + "x", "not JSON"},
		{`"x"` + nuls, "a string, not an object"},
		{`{"statusCode":700}` + nuls, "not in 200 to 599"},
		{`{"headers":{"x":"1\r\n\r\n"}}` + nuls, "control characters"},
		{`{"cookies":[1]}` + nuls, "one of cookies is a number"},
		{strings.Repeat(" ", lambdahttp.MaxPrelude) + "{}" + nuls, "longer than 16384 bytes"},
		{strings.Repeat("x", 1<<20), "longer than 16384 bytes"},
	} {
		for how, reader := range readers {
			_, err := lambdahttp.ReadStream(lambdahttp.IntegrationType, reader(strings.NewReader(test.stream)))
			if aloft.ErrorCode(err) != aloft.Failed || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%.40q, %s: %v, want %q", test.stream, how, err, test.want)
			}
		}
	}
	broken := errors.New("broken")
	if _, err := lambdahttp.ReadStream(lambdahttp.IntegrationType, iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("a read error became %v", err)
	}
	if _, err := lambdahttp.ReadStream(lambdahttp.IntegrationType, idle{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that never reads: %v", err)
	}
	if _, err := lambdahttp.ReadStream("text/plain\r\nx: y", strings.NewReader("")); aloft.ErrorCode(err) != aloft.Failed {
		t.Errorf("a type that splits the response: %v", err)
	}
}

// pausing reads nothing every other time.
type pausing struct {
	r     io.Reader
	pause bool
}

func (p *pausing) Read(b []byte) (int, error) {
	if p.pause = !p.pause; p.pause {
		return 0, nil
	}
	return p.r.Read(b[:1])
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

func TestPrelude(t *testing.T) {
	h := http.Header{"Content-Type": {"text/event-stream"}, "X-A": {"1"}, "Set-Cookie": {"a=1", "b=2"}}
	prelude, err := lambdahttp.EncodePrelude(http.StatusTeapot, h)
	if err != nil {
		t.Fatal(err)
	}
	r, err := lambdahttp.ReadStream(lambdahttp.IntegrationType, io.MultiReader(strings.NewReader(string(prelude)), strings.NewReader("data")))
	if err != nil {
		t.Fatal(err)
	}
	checkReply(t, r, http.StatusTeapot, h, "data")
	for _, bad := range []http.Header{{"X": {strings.Repeat("x", lambdahttp.MaxPrelude)}}, nil} {
		status := http.StatusOK
		if bad == nil {
			status = http.StatusContinue
		}
		if _, err := lambdahttp.EncodePrelude(status, bad); aloft.ErrorCode(err) != aloft.Failed {
			t.Errorf("status %d: %v", status, err)
		}
	}
}
