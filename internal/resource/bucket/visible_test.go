package bucket_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
)

func TestVisible(t *testing.T) {
	t.Parallel()
	c, store := serve(t, resource.Visible{Only: map[resource.Named]bool{{Kind: aloft.Bucket, Name: "pictures"}: true}})
	if err := store.Create(t.Context(), "secrets", ""); err != nil {
		t.Fatal(err)
	}
	list, err := c.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if err != nil || len(list.Buckets) != 1 || *list.Buckets[0].Name != "pictures" {
		t.Errorf("listed %v, %v", list.Buckets, err)
	}
	_, err = c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("secrets"), Key: aws.String("k"), Body: strings.NewReader("x")})
	if code(err) != "NoSuchBucket" {
		t.Errorf("a write to what is not visible: %v", err)
	}
	put(t, c, "k", "x")
	_, err = c.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: aws.String("pictures"), Key: aws.String("l"), CopySource: aws.String("secrets/k")})
	if err == nil || code(err) != "NoSuchBucket" {
		t.Errorf("a copy of what is not visible: %v", err)
	}
	_, err = c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("another")})
	if code(err) != "AccessDenied" {
		t.Errorf("a bucket of a function's own: %v", err)
	}
}

// TestOthersBuckets: no method, query or odd path leads to a bucket that is not visible, or makes one.
func TestOthersBuckets(t *testing.T) {
	t.Parallel()
	store := openStore(t, t.TempDir())
	defer func() { _ = store.Close() }()
	for _, name := range []string{"pictures", "secrets"} {
		if err := store.Create(t.Context(), name, ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Put(t.Context(), "secrets", "k", nil, strings.NewReader("secret"), nil); err != nil {
		t.Fatal(err)
	}
	id, err := store.StartUpload(t.Context(), "secrets", "up", nil)
	if err != nil {
		t.Fatal(err)
	}
	handler := store.Handler(resource.Visible{Only: map[resource.Named]bool{{Kind: aloft.Bucket, Name: "pictures"}: true}})
	for _, path := range []string{"/secrets", "/secrets/", "//secrets", "/secrets/k", "/secrets/up", "/pictures/../secrets/k", "/%73ecrets/k", "/another", "/another/", "//another"} {
		for _, query := range []string{
			"", "?list-type=2", "?location", "?versioning", "?versionId=1", "?uploads", "?delete", "?uploadId=" + id, "?partNumber=1&uploadId=" + id, "?uploadId=&list-type=2",
		} {
			for _, method := range []string{"GET", "HEAD", "PUT", "POST", "DELETE"} {
				r := httptest.NewRequestWithContext(t.Context(), method, path+query, strings.NewReader("x"))
				r.Header.Set("Content-Length", "1")
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				if w.Code < 400 && !strings.HasPrefix(path, "/pictures/") && !strings.Contains(w.Body.String(), "ListAllMyBucketsResult") {
					t.Errorf("%s %s%s: status %d %s", method, path, query, w.Code, w.Body)
				}
				if strings.Contains(w.Body.String(), "<Name>secrets") {
					t.Errorf("%s %s%s shows what is not visible: %s", method, path, query, w.Body)
				}
			}
		}
	}
	all, err := store.Buckets(t.Context(), "")
	parts, _ := store.Parts(t.Context(), "secrets", "up", id)
	if err != nil || len(all) != 2 || all[1].Objects != 1 || len(parts) != 0 {
		t.Errorf("buckets are %+v, %v, with parts %v", all, err, parts)
	}
	for _, source := range []string{"secrets/k", "/secrets/k", "//secrets/k", "secrets%2Fk", "%2Fsecrets%2Fk", "%73ecrets/k", "pictures/../secrets/k", "pictures/%2e%2e/secrets/k"} {
		r := httptest.NewRequestWithContext(t.Context(), "PUT", "/pictures/stolen", nil)
		r.Header.Set("X-Amz-Copy-Source", source)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code < 400 {
			t.Errorf("a copy of %q: status %d", source, w.Code)
		}
	}
}

// TestParts: parts are listed of the upload that a request names, not of one to another key.
func TestParts(t *testing.T) {
	t.Parallel()
	c, store := serve(t, resource.Visible{})
	id, err := store.StartUpload(t.Context(), "pictures", "up", nil)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"up": "<nil>", "other": "NoSuchUpload"} {
		_, err := c.ListParts(t.Context(), &s3.ListPartsInput{Bucket: aws.String("pictures"), Key: aws.String(key), UploadId: aws.String(id)})
		if code(err) != want {
			t.Errorf("the parts of %q: %v, not %s", key, err, want)
		}
	}
}
