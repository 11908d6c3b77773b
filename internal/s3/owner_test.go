package s3_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/s3"
)

// stranger is a bucket of somebody else. It keeps the requests that do not say whose bucket is meant.
type stranger struct {
	mu    sync.Mutex
	asked []string
}

func (s *stranger) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("X-Amz-Expected-Bucket-Owner") != "111122223333" || !strings.Contains(r.Header.Get("Authorization"), "x-amz-expected-bucket-owner") {
		s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	}
	return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// TestOwner asks that all requests name the account whose bucket is meant, signed: the names of buckets are everybody's, and that of
// aloft's can be guessed.
func TestOwner(t *testing.T) {
	t.Parallel()
	u := &stranger{}
	bucket := s3.Open(aws.Config{
		Region: "eu-west-1", RetryMaxAttempts: 1, HTTPClient: &http.Client{Transport: u}, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	}, "aloft-111122223333-eu-west-1", "111122223333")
	ref := aloft.StageRef{App: "shop", Stage: "production"}
	if _, err := bucket.Exists(t.Context()); err == nil || !strings.Contains(err.(*aloft.Error).Hint, "somebody else's") { //nolint:errorlint // it is to be one itself
		t.Errorf("a bucket of somebody else: %v", err)
	}
	_, _ = bucket.Keys().Has(t.Context(), "templates/x.json")
	_, _ = bucket.Keys().Get(t.Context(), "templates/x.json")
	_ = bucket.Keys().Delete(t.Context(), "templates/x.json")
	_ = bucket.Keys().Empty(t.Context(), "shop-uploads")
	_, _ = s3.NewStore(bucket, "ada").Apps(t.Context())
	_, _, _ = s3.NewStore(bucket, "ada").Lock(t.Context(), ref, aloft.Discard{})
	if len(u.asked) > 0 {
		t.Errorf("requests that anybody's bucket may answer:\n%s", strings.Join(u.asked, "\n"))
	}
}
