package lambdahttp

import (
	"net/url"
	"strings"

	"github.com/aloft-run/aloft"
)

// setURL sets the URL. Format 2.0 has the query as it was sent; the others have its pairs, load balancers undecoded.
func (d *decoder) setURL(e *Event) error {
	raw := d.path
	if d.format.v2() {
		raw = d.rawPath
	}
	path, err := text(raw, "the path")
	if err != nil {
		return err
	}
	query, err := text(d.rawQuery, "rawQueryString")
	if err != nil {
		return err
	}
	if !d.format.v2() || d.rawQuery == nil {
		pairs, err := d.pairs()
		if err != nil {
			return err
		}
		query = []byte(joinQuery(pairs, d.format != ALB && d.format != ALBMulti))
	}
	return e.setURL(string(path), string(query), d.decodedPath)
}

// pairs returns the query's pairs: those with all values if the event has them.
func (d *decoder) pairs() ([]param, error) {
	from, multi := d.multiQuery, true
	if isNull(from) {
		from, multi = d.query, false
	}
	if isNull(from) {
		return nil, nil
	}
	list, err := members(from, nil)
	if err != nil {
		return nil, aloft.Errorf(aloft.Invalid, "the query's parameters: %w", err)
	}
	all := make([]param, 0, len(list))
	for _, m := range list {
		values := [][]byte{m.value}
		if multi {
			if values, err = elements(m.value, "a list of query parameters"); err != nil {
				return nil, err
			}
		}
		p := param{key: string(m.key)}
		for _, value := range values {
			v, err := scalar(value, "a query parameter")
			if err != nil {
				return nil, err
			}
			p.values = append(p.values, v)
		}
		all = append(all, p)
	}
	return all, nil
}

// setURL sets the URL from the path and the raw query of the event.
func (e *Event) setURL(path, query string, decodedPath bool) error {
	e.URL = &url.URL{RawQuery: cleanQuery(query)}
	if decodedPath {
		if !strings.HasPrefix(path, "/") {
			path = "/" + path
		}
		e.URL.Path = path
		return nil
	}
	clean := cleanPath(path)
	plain, err := url.PathUnescape(clean)
	if err != nil {
		return aloft.Errorf(aloft.Invalid, "the path's escapes are broken")
	}
	e.URL.Path, e.URL.RawPath = plain, clean
	return nil
}
