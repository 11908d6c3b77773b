package shim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"time"
)

// credentials sign requests to one service of AWS.
type credentials struct{ key, secret, token, region, service string }

func (s *settings) credentials(service string) credentials {
	return credentials{
		key: lookup(s.env, "AWS_ACCESS_KEY_ID"), secret: lookup(s.env, "AWS_SECRET_ACCESS_KEY"), token: lookup(s.env, "AWS_SESSION_TOKEN"),
		region: s.region(), service: service,
	}
}

// sign returns the header of a POST that calls an operation of a service with JSON, signed by Signature Version 4.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func (c credentials) sign(u *url.URL, operation string, body []byte, now time.Time) [][2]string {
	stamp := now.UTC().Format("20060102T150405Z")
	fields := [][2]string{{"content-type", "application/x-amz-json-1.1"}, {"host", u.Host}, {"x-amz-date", stamp}}
	if c.token != "" {
		fields = append(fields, [2]string{"x-amz-security-token", c.token})
	}
	fields = append(fields, [2]string{"x-amz-target", operation})
	canonical, names := "POST\n"+u.EscapedPath()+"\n\n", ""
	for i, f := range fields {
		canonical += f[0] + ":" + f[1] + "\n"
		if i > 0 {
			names += ";"
		}
		names += f[0]
	}
	canonical += "\n" + names + "\n" + digest(body)

	scope := strings.Join([]string{stamp[:8], c.region, c.service, "aws4_request"}, "/")
	text := "AWS4-HMAC-SHA256\n" + stamp + "\n" + scope + "\n" + digest([]byte(canonical))
	key := []byte("AWS4" + c.secret)
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, part)
	}
	fields = slices.DeleteFunc(fields, func(f [2]string) bool { return f[0] == "host" }) // every request has that
	return append(fields, [2]string{"Authorization", "AWS4-HMAC-SHA256 Credential=" + c.key + "/" + scope + ", SignedHeaders=" + names +
		", Signature=" + hex.EncodeToString(mac(key, text))})
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
