package lambdahttp

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/aloft-run/aloft"
)

// ErrNotHTTP is what [DecodeEvent] returns for events that are no HTTP requests: those of queues, buckets and the like, of
// WebSocket APIs, and the requests that authorizers get.
var ErrNotHTTP = errors.New("the event is not an HTTP request")

// Event is the HTTP request that an event stands for.
type Event struct {
	Format   Format
	Method   string
	URL      *url.URL    // path and query only; EscapedPath is the path as the client sent it, where the event has that
	Host     string      // the Host header, or the context's domain name
	Header   http.Header // without Host and what concerns the connection; cookies are in one Cookie field
	Body     []byte      // may share memory with the event
	SourceIP string      // of the client; for load balancers the last of X-Forwarded-For
	Context  json.RawMessage
}

// DecodeEvent returns the request of an event. Payload format 2.0 is known by requestContext.http, a function URL by its
// domain name (ID.lambda-url.…), a load balancer by requestContext.elb and a REST API by httpMethod beside a requestContext.
// For other JSON it returns ErrNotHTTP; for what is no JSON, has wrong types, or could split a request, an Invalid error
// which has nothing of the payload in it but the names of headers. The event shares memory with data.
func DecodeEvent(data []byte) (*Event, error) {
	var buf, inner [24]member
	all, err := members(data, buf[:0])
	if err != nil && validJSON(data) {
		return nil, ErrNotHTTP
	}
	if err != nil {
		return nil, aloft.Errorf(aloft.Invalid, "decode event: %w", err)
	}
	d := &decoder{}
	d.pick(all)
	context, err := members(d.context, inner[:0])
	if err != nil || d.authorizer {
		return nil, ErrNotHTTP
	}
	d.format, d.decodedPath = detect(d, context)
	if d.format < 0 {
		return nil, ErrNotHTTP
	}
	e, err := d.event(context)
	if err != nil {
		return nil, aloft.Errorf(aloft.Invalid, "decode event: %w", err)
	}
	return e, nil
}

// detect returns the format, -1 for none, and whether the path is decoded.
func detect(d *decoder, context []member) (f Format, decodedPath bool) {
	switch {
	case find(context, "http") != nil:
		domain, err := text(find(context, "domainName"), "domainName")
		if err == nil && strings.Contains(string(domain), ".lambda-url.") {
			return FunctionURL, false
		}
		return APIGatewayV2, true
	case find(context, "elb") != nil:
		if !isNull(d.multiHeaders) {
			return ALBMulti, false
		}
		return ALB, false
	case d.method != nil && find(context, "connectionId") == nil:
		return APIGatewayV1, string(d.version) == `"1.0"` // HTTP APIs send format 1.0 too, and decode the path
	}
	return -1, false
}

// find returns the value of a member, nil if there is none or it is null.
func find(all []member, key string) (value []byte) {
	for _, m := range all {
		if string(m.key) == key && !isNull(m.value) {
			value = m.value
		}
	}
	return value
}
