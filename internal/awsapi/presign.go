package awsapi

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Presign returns an URL at which a GET is allowed for some time. Base is an URL without query.
func Presign(credential Credential, service, base string, now time.Time, lasts time.Duration) (string, error) {
	at, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	now = now.UTC()
	s := &signature{keyID: credential.KeyID, date: now.Format(dateFormat), region: Region, service: service, headers: []string{"host"}, at: now}
	query := url.Values{
		"X-Amz-Algorithm": {algorithm}, dateHeader: {now.Format(timeFormat)}, "X-Amz-SignedHeaders": {"host"},
		"X-Amz-Credential": {strings.Join([]string{s.keyID, s.date, s.region, s.service, terminator}, "/")},
		"X-Amz-Expires":    {strconv.Itoa(int(lasts / time.Second))},
	}
	if credential.Token != "" {
		query.Set(tokenHeader, credential.Token)
	}
	at.RawQuery = query.Encode()
	digest := emptyDigest
	if service == s3 {
		digest = unsigned
	}
	r := &http.Request{Method: http.MethodGet, URL: at, Host: at.Host}
	at.RawQuery += "&" + querySignature + "=" + s.of(r, credential.Secret, digest)
	return at.String(), nil
}
