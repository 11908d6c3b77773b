package awsapi_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestAuthority: what HTTP/2 has in place of Host may be signed in its place, as AWS's SDK for JavaScript does, in HTTP/2 alone, and is
// compared like it.
func TestAuthority(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		major  int
		signed string
		status int
	}{
		"HTTP/2": {2, "server.example", http.StatusOK}, "another host": {2, "other.example", http.StatusForbidden}, "HTTP/1.1": {1, "server.example", http.StatusBadRequest},
	} {
		at := time.Now().UTC().Format("20060102T150405Z")
		scope := at[:8] + "/us-east-1/sqs/aws4_request"
		const names = ":authority;x-amz-date"
		canonical := strings.Join([]string{"POST", "/", "", ":authority:" + c.signed, "x-amz-date:" + at, "", names, sha("hello")}, "\n")
		key := []byte("AWS4" + secret)
		for _, part := range append(strings.Split(scope, "/"), "AWS4-HMAC-SHA256\n"+at+"\n"+scope+"\n"+sha(canonical)) {
			h := hmac.New(sha256.New, key)
			h.Write([]byte(part))
			key = h.Sum(nil)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://server.example/", strings.NewReader("hello"))
		r.ProtoMajor = c.major
		r.Header.Set("X-Amz-Date", at)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+keyID+"/"+scope+", SignedHeaders="+names+", Signature="+hex.EncodeToString(key))
		w := httptest.NewRecorder()
		front("").ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}
