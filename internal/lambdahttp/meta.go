package lambdahttp

import (
	"encoding/json"
	"strings"
	"time"
)

// Meta is what an event says besides the request: who sent it and through what. Fields left empty take the value that AWS
// puts there by default.
type Meta struct {
	RequestID      string
	SourceIP       string    // of the client, without port; IPv6 without brackets
	Time           time.Time // when the request came
	AccountID      string    // "anonymous" in events of function URLs that need no credentials
	APIID          string    // the function URL's id for FunctionURL
	DomainName     string    // default: the request's host without port
	Stage          string    // default "$default"; "prod" for APIGatewayV1
	RouteKey       string    // APIGatewayV2: "POST /items/{id}"; default "$default"
	Resource       string    // APIGatewayV1: "/items/{id}"; default "/{proxy+}"
	ResourceID     string    // APIGatewayV1
	TargetGroupARN string    // ALB and ALBMulti

	PathParameters map[string]string // what the route's placeholders stand for; they go in as they are
	StageVariables map[string]string
	Authorizer     json.RawMessage // requestContext.authorizer: an object, or nothing
}

// clf is the time format of request contexts: that of access logs.
const clf = "02/Jan/2006:15:04:05 -0700"

// appendTimes appends a time as a string and as milliseconds, under the given keys.
func appendTimes(dst []byte, text, epoch string, t time.Time) []byte {
	dst = appendKey(dst, text)
	dst = append(dst, '"')
	dst = t.UTC().AppendFormat(dst, clf)
	dst = append(dst, '"')
	return appendInt(appendKey(dst, epoch), t.UnixMilli())
}

// appendDomain appends domainName and domainPrefix, its first label.
func appendDomain(dst []byte, m *Meta, host string) []byte {
	name := m.DomainName
	if name == "" {
		name = hostname(host)
	}
	prefix, _, _ := strings.Cut(name, ".")
	dst = appendMember(dst, "domainName", name)
	return appendMember(dst, "domainPrefix", prefix)
}

// hostname returns a Host header's value without the port.
func hostname(host string) string {
	if strings.HasPrefix(host, "[") {
		if end := strings.IndexByte(host, ']'); end > 0 {
			return host[1:end]
		}
	}
	name, _, _ := strings.Cut(host, ":")
	return name
}

func or(value, instead string) string {
	if value == "" {
		return instead
	}
	return value
}
