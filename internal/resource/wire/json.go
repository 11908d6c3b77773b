package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aloft-run/aloft"
)

// Operation answers a request of the JSON protocols.
type Operation func(r *http.Request, body []byte) (any, error)

// Op makes an Operation of a function of a request's value.
func Op[I, O any](do func(ctx context.Context, in I) (O, error)) Operation {
	return func(r *http.Request, body []byte) (any, error) {
		var in I
		if len(body) > 0 {
			if err := json.Unmarshal(body, &in); err != nil {
				return nil, Fail("SerializationException", "%s", explain(err))
			}
		}
		return do(r.Context(), in)
	}
}

func explain(err error) string {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Sprintf("%s: expected %s, not a %s", e.Field, e.Type, e.Value)
	}
	return err.Error()
}

// Nothing is the value of an operation that answers with nothing.
type Nothing struct{}

// JSON serves operations by the names that X-Amz-Target has after the service's.
type JSON struct {
	Version    string // of the protocol: "1.0" or "1.1"
	Namespace  string // put before the names of errors, such as "com.amazonaws.sqs#"
	Operations map[string]Operation
}

// ServeHTTP implements http.Handler.
func (j JSON) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var out any
	op, ok := j.Operations[name]
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxRequest))
	switch {
	case err != nil:
		err = Fail("RequestEntityTooLarge", "the request cannot be read: %v", err)
	case !ok:
		err = Fail("UnknownOperationException", "aloft has no operation %q", name)
	default:
		out, err = op(r, body)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-"+j.Version)
	w.Header().Set("X-Amzn-Requestid", aloft.NewID())
	if err != nil {
		j.fail(w, failure(err))
		return
	}
	text, err := json.Marshal(out)
	if err != nil {
		j.fail(w, failure(err))
		return
	}
	_, _ = w.Write(text) // the client is gone if it fails
}

func (j JSON) fail(w http.ResponseWriter, f *Failure) {
	if f.Query != "" {
		w.Header().Set("X-Amzn-Query-Error", f.Query+";"+f.fault())
	}
	w.Header().Set("X-Amzn-Errortype", f.Code)
	w.WriteHeader(f.status())
	text, _ := json.Marshal(map[string]string{"__type": j.Namespace + f.Code, "message": f.Message}) // strings always encode
	_, _ = w.Write(text)
}
