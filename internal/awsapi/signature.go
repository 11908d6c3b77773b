package awsapi

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The words of Signature Version 4 (AWS General Reference, "Create a signed AWS API request").
const (
	algorithm      = "AWS4-HMAC-SHA256"
	terminator     = "aws4_request"
	timeFormat     = "20060102T150405Z"
	dateFormat     = "20060102"
	querySignature = "X-Amz-Signature"
	dateHeader     = "X-Amz-Date"
	tokenHeader    = "X-Amz-Security-Token" //nolint:gosec // a name
	digestHeader   = "X-Amz-Content-Sha256"
)

const (
	maxSkew    = 15 * time.Minute
	maxExpires = 7 * 24 * time.Hour // of a presigned request
)

// signature is what a request says of its signature.
type signature struct {
	keyID, date, region, service string

	headers   []string // the signed ones: lower-case, sorted
	value     string   // 64 hexadecimal digits
	at        time.Time
	token     string
	presigned bool
	expires   time.Duration // of a presigned one
}

var valuePattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// parse reads the signature of a request, which is in one place only.
func parse(r *http.Request) (*signature, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, reject(incomplete, "The query cannot be read.")
	}
	authorization := r.Header["Authorization"]
	switch {
	case len(authorization) > 1, len(authorization) == 1 && query.Has(querySignature):
		return nil, reject(incomplete, "The request has more than one signature.")
	case len(authorization) == 1:
		return parseHeader(r, authorization[0])
	case query.Has(querySignature):
		return parseQuery(query)
	}
	return nil, reject(incomplete, "Missing Authentication Token")
}

func parseHeader(r *http.Request, authorization string) (*signature, error) {
	rest, ok := strings.CutPrefix(authorization, algorithm+" ")
	if !ok {
		return nil, reject(incomplete, "The Authorization header is not of %s.", algorithm)
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if _, again := fields[name]; again {
			return nil, reject(incomplete, "The Authorization header has %s twice.", strconv.Quote(name))
		}
		fields[name] = value
	}
	if len(r.Header[dateHeader]) > 1 || len(r.Header[tokenHeader]) > 1 || len(r.Header[digestHeader]) > 1 {
		return nil, reject(incomplete, "A header that signatures need is there twice.")
	}
	s := &signature{value: fields["Signature"], token: r.Header.Get(tokenHeader)}
	if err := s.scope(fields["Credential"], r.Header.Get(dateHeader)); err != nil {
		return nil, err
	}
	if err := s.signed(fields["SignedHeaders"], r.Header); err != nil {
		return nil, err
	}
	if !slices.Contains(s.headers, "host") && (r.ProtoMajor < 2 || !slices.Contains(s.headers, authority)) {
		return nil, noHost()
	}
	return s, nil
}

// authority is what HTTP/2 has in place of the header Host, and AWS's SDK for JavaScript signs.
const authority = ":authority"

func noHost() error { return reject(incomplete, "SignedHeaders must be sorted and name host.") }

func parseQuery(query url.Values) (*signature, error) {
	for _, name := range []string{"X-Amz-Algorithm", "X-Amz-Credential", dateHeader, "X-Amz-Expires", "X-Amz-SignedHeaders", querySignature, tokenHeader} {
		if count := len(query[name]); count > 1 || count == 0 && name != tokenHeader {
			return nil, reject(incomplete, "The query has not one %s.", name)
		}
	}
	seconds, err := strconv.Atoi(query.Get("X-Amz-Expires"))
	if err != nil || seconds < 0 || seconds > int(maxExpires/time.Second) || query.Get("X-Amz-Algorithm") != algorithm {
		return nil, reject(incomplete, "X-Amz-Expires or X-Amz-Algorithm is wrong.")
	}
	s := &signature{
		value: query.Get(querySignature), token: query.Get(tokenHeader), presigned: true, expires: time.Duration(seconds) * time.Second,
	}
	if err := s.scope(query.Get("X-Amz-Credential"), query.Get(dateHeader)); err != nil {
		return nil, err
	}
	if err := s.signed(query.Get("X-Amz-SignedHeaders"), nil); err != nil {
		return nil, err
	}
	if !slices.Contains(s.headers, "host") {
		return nil, noHost()
	}
	return s, nil
}

// scope reads KEY/DATE/REGION/SERVICE/aws4_request, and the time.
func (s *signature) scope(credential, at string) error {
	parts := strings.Split(credential, "/")
	if len(parts) != 5 || parts[4] != terminator || slices.Contains(parts, "") {
		return reject(incomplete, "Credential must have the form KEY/DATE/REGION/SERVICE/%s.", terminator)
	}
	s.keyID, s.date, s.region, s.service = parts[0], parts[1], parts[2], parts[3]
	var err error
	if s.at, err = time.Parse(timeFormat, at); err != nil {
		return reject(incomplete, "%s must have the form YYYYMMDD'T'HHMMSS'Z'.", dateHeader)
	}
	if s.at.Format(dateFormat) != s.date {
		return reject(incomplete, "The date of Credential is not that of %s.", dateHeader)
	}
	return nil
}

// signed reads the names of the signed headers. All must be among them that AWS gives a meaning to: what is not signed, somebody in
// between may have put there. The host must be, too, which the caller looks for.
func (s *signature) signed(names string, header http.Header) error {
	s.headers = strings.Split(names, ";")
	if !valuePattern.MatchString(s.value) {
		return reject(incomplete, "Signature must be 64 hexadecimal digits.")
	}
	if !slices.IsSorted(s.headers) || len(slices.Compact(slices.Clone(s.headers))) != len(s.headers) {
		return noHost()
	}
	for name := range header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") && !slices.Contains(s.headers, name) {
			return reject(badSignature, "There is a header that is not signed: %s.", name)
		}
	}
	return nil
}

// inTime refuses what was signed long ago, or will be.
func (s *signature) inTime(now time.Time) error {
	early, late := now.Add(-maxSkew), now.Add(maxSkew)
	if s.presigned {
		early = now.Add(-s.expires)
	}
	if s.at.Before(early) || s.at.After(late) {
		return reject(expired, "Signature expired: %s is not between %s and %s.", s.at.Format(timeFormat), early.UTC().Format(timeFormat), late.UTC().Format(timeFormat))
	}
	return nil
}

func (s *signature) hasToken(credential Credential) error {
	if subtle.ConstantTimeCompare([]byte(s.token), []byte(credential.Token)) != 1 {
		return reject(badKey, "The security token included in the request is invalid.")
	}
	return nil
}
