package lambdahttp

import (
	"net/textproto"
	"strings"
)

// v2 appends an event of payload format 2.0. Header names are in lower case, the values of repeated fields and query keys
// are joined with commas, cookies stand apart; what is empty is left out.
func (e *encoder) v2(dst []byte) []byte {
	dst = append(dst, '{')
	dst = appendMember(dst, "version", "2.0")
	dst = appendMember(dst, "routeKey", e.routeKey())
	dst = appendMember(dst, "rawPath", e.path())
	dst = appendMember(dst, "rawQueryString", e.r.URL.RawQuery)
	dst = e.cookies(dst)
	dst = e.headers(dst, "headers", commas)
	if all := params(e.r.URL.RawQuery, true); len(all) > 0 {
		dst = appendParams(appendKey(dst, "queryStringParameters"), all, commas)
	}
	dst = e.contextV2(dst)
	if len(e.m.PathParameters) > 0 {
		dst = appendMap(dst, "pathParameters", e.m.PathParameters)
	}
	if len(e.m.StageVariables) > 0 {
		dst = appendMap(dst, "stageVariables", e.m.StageVariables)
	}
	if len(e.body) > 0 {
		dst = appendBody(dst, e.body, e.text)
	} else {
		dst = appendBool(dst, "isBase64Encoded", false)
	}
	return append(dst, '}')
}

func (e *encoder) routeKey() string {
	if e.f == FunctionURL {
		return "$default"
	}
	return or(e.m.RouteKey, "$default")
}

// cookies appends each cookie of the request, if there are any.
func (e *encoder) cookies(dst []byte) []byte {
	first := true
	for _, field := range e.r.Header["Cookie"] {
		for cookie := range strings.SplitSeq(field, ";") {
			cookie = textproto.TrimString(cookie)
			if cookie == "" {
				continue
			}
			if first {
				dst = append(appendKey(dst, "cookies"), '[')
			} else {
				dst = append(dst, ',')
			}
			dst = appendString(dst, cookie)
			first = false
		}
	}
	if first {
		return dst
	}
	return append(dst, ']')
}

func (e *encoder) contextV2(dst []byte) []byte {
	m := e.m
	account := m.AccountID
	if e.f == FunctionURL {
		account = or(account, "anonymous")
	}
	dst = append(appendKey(dst, "requestContext"), '{')
	dst = appendMember(dst, "accountId", account)
	dst = appendMember(dst, "apiId", m.APIID)
	if len(m.Authorizer) > 0 {
		dst = append(appendKey(dst, "authorizer"), m.Authorizer...)
	}
	dst = appendDomain(dst, m, e.r.Host)
	dst = append(appendKey(dst, "http"), '{')
	dst = appendMember(dst, "method", e.r.Method)
	dst = appendMember(dst, "path", e.path())
	dst = appendMember(dst, "protocol", e.r.Proto)
	dst = appendMember(dst, "sourceIp", m.SourceIP)
	dst = appendMember(dst, "userAgent", e.r.Header.Get("User-Agent"))
	dst = append(dst, '}')
	dst = appendMember(dst, "requestId", m.RequestID)
	dst = appendMember(dst, "routeKey", e.routeKey())
	dst = appendMember(dst, "stage", or(m.Stage, "$default"))
	dst = appendTimes(dst, "time", "timeEpoch", m.Time)
	return append(dst, '}')
}
