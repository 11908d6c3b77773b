// Package lambdahttp turns HTTP requests into the events that AWS Lambda functions know, and what functions reply into HTTP
// responses; and, for a program inside of Lambda, the other way round. It is a codec: bytes in, bytes out. It knows no
// gateway, no invoker and no engine, keeps no state and trusts neither side: what a function says cannot split a response,
// and what an event says cannot split a request.
//
// [Encode] and [DecodeReply], or [ReadStream] for streamed replies, serve who invokes functions; [DecodeEvent], [EncodeReply]
// and [EncodePrelude] serve who is invoked.
package lambdahttp

import (
	"strings"

	"github.com/aloft-run/aloft"
)

// MaxPayload is how many bytes an event or a buffered reply may have in Lambda. Base64 makes a body a third longer, so that
// a binary body may have about 4.5 MB. The codec does not enforce it: who calls knows whether to answer 413 or 502.
const MaxPayload = 6 << 20

// Format is a shape of event, named after the service of AWS that sends it.
type Format int

// The formats. Repeated headers and query keys survive in all but ALB, which has one value for each name, the last.
const (
	APIGatewayV2 Format = iota // HTTP API, payload format 2.0
	APIGatewayV1               // REST API, payload format 1.0
	FunctionURL                // function URL: payload format 2.0 with the path as it was sent
	ALB                        // load balancer, one value for each header
	ALBMulti                   // load balancer with lambda.multi_value_headers.enabled
)

// String returns the name that [ParseFormat] knows.
func (f Format) String() string {
	switch f {
	case APIGatewayV2:
		return "apigw-v2"
	case APIGatewayV1:
		return "apigw-v1"
	case FunctionURL:
		return "function-url"
	case ALB:
		return "alb"
	case ALBMulti:
		return "alb-multi"
	}
	return "unknown format"
}

// ParseFormat returns the format of a name, APIGatewayV2 for none. Of other names it returns Invalid.
func ParseFormat(name string) (Format, error) {
	names := make([]string, 0, ALBMulti+1)
	for f := APIGatewayV2; f <= ALBMulti; f++ {
		if f.String() == name {
			return f, nil
		}
		names = append(names, f.String())
	}
	if name == "" {
		return APIGatewayV2, nil
	}
	return 0, aloft.Errorf(aloft.Invalid, "there is no event format %q", name).WithHint("use one of %s", strings.Join(names, ", "))
}

// v2 reports whether f is of payload format 2.0.
func (f Format) v2() bool { return f == APIGatewayV2 || f == FunctionURL }

// decodesPath reports whether the service puts the path into the event decoded, as HTTP APIs do; the others leave it as the
// client sent it.
func (f Format) decodesPath() bool { return f == APIGatewayV2 }
