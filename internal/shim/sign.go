package shim

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// credentials sign requests to one service of AWS.
type credentials struct{ key, secret, token, region, service string }

// The variables of functions that start from a snapshot: these have no keys in the environment, which would be in the snapshot.
// https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html#snapstart-credentials
const (
	keysVariable  = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
	tokenVariable = "AWS_CONTAINER_AUTHORIZATION_TOKEN" //nolint:gosec // the name of a variable
)

// credentials are those of the function's role: in the environment or, of functions with SnapStart, where it says. Again tells
// whether another try may help. Errors have nothing of the credentials in them.
func (s *settings) credentials(ctx context.Context, service string) (c credentials, again bool, err error) {
	c = credentials{
		key: lookup(s.env, "AWS_ACCESS_KEY_ID"), secret: lookup(s.env, "AWS_SECRET_ACCESS_KEY"), token: lookup(s.env, "AWS_SESSION_TOKEN"),
		region: s.region(), service: service,
	}
	if c.key != "" || lookup(s.env, keysVariable) == "" {
		return c, false, nil
	}
	u, err := s.urlIn(keysVariable)
	if err != nil {
		return c, false, err
	}
	status, text, err := fetch(ctx, http.MethodGet, u, [][2]string{{"Authorization", lookup(s.env, tokenVariable)}}, nil)
	if err != nil {
		return c, true, fmt.Errorf("ask %s for the credentials of the role: %w", u.Host, err)
	}
	// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
	var keys struct{ AccessKeyID, SecretAccessKey, Token string }
	if parseErr := json.Unmarshal(text, &keys); status != http.StatusOK || parseErr != nil || keys.AccessKeyID == "" {
		return c, status >= 500, fmt.Errorf("%s answers %d, without credentials of the role", u.Host, status)
	}
	c.key, c.secret, c.token = keys.AccessKeyID, keys.SecretAccessKey, keys.Token
	return c, false, nil
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
