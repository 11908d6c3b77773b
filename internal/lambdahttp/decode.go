package lambdahttp

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/aloft-run/aloft"
)

// decoder holds the members of an event that mean something, nil where the event has none.
type decoder struct {
	format      Format
	decodedPath bool
	authorizer  bool // the event asks an authorizer about a request

	version, context, method, path, rawPath, rawQuery, query, multiQuery []byte
	headers, multiHeaders, cookies, body, isBase64Encoded                []byte
}

func (d *decoder) pick(all []member) {
	for _, m := range all {
		switch string(m.key) {
		case "version":
			d.version = m.value
		case "type":
			d.authorizer = string(m.value) == `"REQUEST"` || string(m.value) == `"TOKEN"`
		case "requestContext":
			d.context = m.value
		case "httpMethod":
			d.method = m.value
		case "path":
			d.path = m.value
		case "rawPath":
			d.rawPath = m.value
		case "rawQueryString":
			d.rawQuery = m.value
		case "queryStringParameters":
			d.query = m.value
		case "multiValueQueryStringParameters":
			d.multiQuery = m.value
		case "headers":
			d.headers = m.value
		case "multiValueHeaders":
			d.multiHeaders = m.value
		case "cookies":
			d.cookies = m.value
		case "body":
			d.body = m.value
		case "isBase64Encoded":
			d.isBase64Encoded = m.value
		}
	}
}

// event makes the event. Steps: header and host, who sent it, body, URL.
func (d *decoder) event(context []member) (*Event, error) {
	e := &Event{Format: d.format, Context: json.RawMessage(d.context)}
	s := &setter{header: make(http.Header, 16), whose: "the event"}
	if err := addFields(s, d.headers, d.multiHeaders); err != nil {
		return nil, err
	}
	e.Header = s.header
	if err := d.setCookies(s); err != nil {
		return nil, err
	}
	if err := d.setContext(e, context); err != nil {
		return nil, err
	}
	if host := e.Header.Get("Host"); host != "" {
		e.Host = host
	}
	delete(e.Header, "Host")
	if !isHost(e.Host) {
		return nil, aloft.Errorf(aloft.Invalid, "the host has spaces or control characters")
	}

	encoded, err := boolean(d.isBase64Encoded, "isBase64Encoded")
	if err != nil {
		return nil, err
	}
	if e.Body, err = body(d.body, encoded); err != nil {
		return nil, err
	}
	return e, d.setURL(e)
}

// isHost reports whether a host may stand in a request: a domain name of the context is no field, by which it would be looked at.
func isHost(host string) bool {
	for i := range len(host) {
		if c := host[i]; c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// setCookies makes one Cookie field of cookies, in place of what headers say.
func (d *decoder) setCookies(s *setter) error {
	if !d.format.v2() || isNull(d.cookies) {
		return nil
	}
	list, err := elements(d.cookies, "cookies")
	if err != nil {
		return err
	}
	cookies := make([]string, 0, len(list))
	for _, c := range list {
		v, err := text(c, "one of cookies")
		if err != nil {
			return err
		}
		cookies = append(cookies, string(v))
	}
	delete(s.header, "Cookie")
	if len(cookies) == 0 {
		return nil
	}
	return s.add("Cookie", strings.Join(cookies, "; "))
}

// setContext sets what the request context says: method, address, host.
func (d *decoder) setContext(e *Event, context []member) error {
	var buf [12]member
	method, ip := d.method, []byte(nil)
	switch d.format {
	case APIGatewayV2, FunctionURL:
		request, err := members(find(context, "http"), buf[:0])
		if err != nil {
			return aloft.Errorf(aloft.Invalid, "requestContext.http: %w", err)
		}
		method, ip = find(request, "method"), find(request, "sourceIp")
	case APIGatewayV1:
		if identity, err := members(find(context, "identity"), buf[:0]); err == nil {
			ip = find(identity, "sourceIp")
		}
	case ALB, ALBMulti:
		from := e.Header.Values("X-Forwarded-For")
		if len(from) > 0 {
			chain := from[len(from)-1]
			e.SourceIP = strings.TrimSpace(chain[strings.LastIndexByte(chain, ',')+1:])
		}
	}
	for _, field := range []struct {
		to    *string
		value []byte
		what  string
	}{{&e.Method, method, "the method"}, {&e.SourceIP, ip, "sourceIp"}, {&e.Host, find(context, "domainName"), "domainName"}} {
		v, err := text(field.value, field.what)
		if err != nil {
			return err
		}
		if field.value != nil {
			*field.to = string(v)
		}
	}
	if !isToken(e.Method) {
		return aloft.Errorf(aloft.Invalid, "the method is not one")
	}
	return nil
}
