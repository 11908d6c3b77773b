package lambdahttp

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"

	"github.com/aloft-run/aloft"
)

// picked holds the members of a reply that mean something, nil where the reply has none.
type picked struct {
	statusCode, headers, multiValueHeaders, cookies, body, isBase64Encoded []byte
}

func pick(all []member) *picked {
	p := &picked{}
	for _, m := range all {
		switch string(m.key) {
		case "statusCode":
			p.statusCode = m.value
		case "headers":
			p.headers = m.value
		case "multiValueHeaders":
			p.multiValueHeaders = m.value
		case "cookies":
			p.cookies = m.value
		case "body":
			p.body = m.value
		case "isBase64Encoded":
			p.isBase64Encoded = m.value
		}
	}
	return p
}

// head returns a reply with status and header.
func (p *picked) head(whose string) (*Reply, error) {
	status, err := statusCode(p.statusCode)
	if err != nil {
		return nil, err
	}
	s := &setter{header: http.Header{}, whose: whose}
	if err := addFields(s, p.headers, p.multiValueHeaders); err != nil {
		return nil, err
	}
	return &Reply{Status: status, Header: s.header}, nil
}

// statusCode reads a number or a string of one. Statuses below 200 announce a response and cannot be one.
func statusCode(value []byte) (int, error) {
	if value == nil {
		return 0, aloft.Errorf(aloft.Failed, "there is no statusCode")
	}
	digits := string(value)
	if value[0] == '"' {
		digits = string(value[1 : len(value)-1])
	} else if kind := kindOf(value); kind != "a number" {
		return 0, aloft.Errorf(aloft.Failed, "statusCode is %s, not a number", kind)
	}
	status, err := strconv.Atoi(digits)
	if err != nil {
		exact, err := strconv.ParseFloat(digits, 64) // Python programs write 200.0
		if status = int(exact); err != nil || float64(status) != exact {
			return 0, aloft.Errorf(aloft.Failed, "statusCode is not a whole number")
		}
	}
	if status < 200 || status > 599 {
		return 0, aloft.Errorf(aloft.Failed, "statusCode is not in 200 to 599")
	}
	return status, nil
}

// addFields adds the fields of both maps; a name in multi is not taken from single. Names that differ in case only add up:
// behind a load balancer that is how functions set several cookies.
func addFields(s *setter, single, multi []byte) error {
	var buf [32]member
	if err := addMulti(s, multi); err != nil {
		return err
	}
	if isNull(single) {
		return nil
	}
	all, err := members(single, buf[:0])
	if err != nil {
		return aloft.Errorf(aloft.Failed, "headers: %w", err)
	}
	var listed http.Header
	if len(s.header) > 0 {
		listed = maps.Clone(s.header)
	}
	s.spare = make([]string, len(all))
	for _, m := range all {
		name := string(m.key)
		if isNull(m.value) || listed != nil && listed[http.CanonicalHeaderKey(name)] != nil {
			continue
		}
		if err := s.addValue(name, m.value); err != nil {
			return err
		}
	}
	return nil
}

func addMulti(s *setter, multi []byte) error {
	if isNull(multi) {
		return nil
	}
	var buf [32]member
	all, err := members(multi, buf[:0])
	if err != nil {
		return aloft.Errorf(aloft.Failed, "multiValueHeaders: %w", err)
	}
	for _, m := range all {
		values, err := elements(m.value, "a list in multiValueHeaders")
		if err != nil {
			return err
		}
		for _, v := range values {
			if err := s.addValue(string(m.key), v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *setter) addValue(name string, value []byte) error {
	v, err := scalar(value, "the value of a header")
	if err != nil {
		return err
	}
	return s.add(name, v)
}

// addCookies adds a Set-Cookie for each of cookies.
func (p *picked) addCookies(s *setter) error {
	cookies, err := elements(p.cookies, "cookies")
	if err != nil {
		return err
	}
	for _, c := range cookies {
		v, err := text(c, "one of cookies")
		if err != nil {
			return err
		}
		if err := s.add("Set-Cookie", string(v)); err != nil {
			return err
		}
	}
	return nil
}

// validJSON reports whether data is JSON of any kind.
func validJSON(data []byte) bool {
	s := scanner{data: data}
	s.space()
	return s.value() && s.end() || json.Valid(data)
}
