package bucket_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/resource/bucket"
	"github.com/aloft-run/aloft/internal/resource/resourcetest"
)

func open(t *testing.T, dir string) (resource.Type, func()) {
	t.Helper()
	s := openStore(t, dir)
	return s, func() { _ = s.Close() }
}

func openStore(t *testing.T, dir string) *bucket.Store {
	t.Helper()
	s, err := bucket.Open(t.Context(), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	t.Parallel()
	resourcetest.Run(t, resourcetest.Kind{Open: open})
}

// serve returns a client of a store with one bucket, "pictures".
func serve(t *testing.T, visible resource.Visible) (*s3.Client, *bucket.Store) {
	t.Helper()
	store := openStore(t, t.TempDir())
	t.Cleanup(func() { _ = store.Close() })
	if err := store.Create(t.Context(), "pictures", ""); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(store.Handler(visible))
	t.Cleanup(server.Close)
	return s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	}), store
}

func put(t *testing.T, c *s3.Client, key, content string) {
	t.Helper()
	if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("pictures"), Key: aws.String(key), Body: strings.NewReader(content)}); err != nil {
		t.Fatalf("put %q: %v", key, err)
	}
}

func get(t *testing.T, c *s3.Client, key string) string {
	t.Helper()
	o, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("pictures"), Key: aws.String(key)})
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	defer func() { _ = o.Body.Close() }()
	content, err := io.ReadAll(o.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return fmt.Sprint(err)
}

// TestKeys: any text is a key, whatever it would be as the name of a file.
func TestKeys(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, resource.Visible{})
	keys := []string{"a", "a/b", "a/b/", "a//b", "../../etc/passwd", "..", "./x", "ü ä+%2F", strings.Repeat("long/", 204), "x\\y", "-rf", " "}
	for _, key := range keys {
		put(t, c, key, "content of "+key)
	}
	for _, key := range keys {
		if got := get(t, c, key); got != "content of "+key {
			t.Errorf("%q holds %q", key, got)
		}
	}
	var listed []string
	pages := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: aws.String("pictures"), MaxKeys: aws.Int32(5)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			listed = append(listed, *o.Key)
		}
	}
	slices.Sort(keys)
	if !slices.Equal(listed, keys) {
		t.Errorf("listed %q\nwant   %q", listed, keys)
	}
	_, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("pictures"), Key: aws.String(strings.Repeat("k", 1025))})
	if code(err) != "KeyTooLongError" {
		t.Errorf("a key of 1025 bytes: %v", err)
	}
}

func TestPrefixes(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, resource.Visible{})
	for i := range 12 {
		put(t, c, fmt.Sprintf("in/%d/a.jpg", i%4), "x")
		put(t, c, fmt.Sprintf("in/%d.jpg", i%4), "x")
	}
	put(t, c, "out/z", "x")
	var got []string
	pages := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{
		Bucket: aws.String("pictures"), Prefix: aws.String("in/"), Delimiter: aws.String("/"), MaxKeys: aws.Int32(3),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			got = append(got, *o.Key)
		}
		for _, p := range page.CommonPrefixes {
			got = append(got, *p.Prefix)
		}
	}
	slices.Sort(got)
	if want := "in/0.jpg in/0/ in/1.jpg in/1/ in/2.jpg in/2/ in/3.jpg in/3/"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestObject(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, resource.Visible{})
	name, key := aws.String("pictures"), aws.String("cat.txt")
	if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: name, Key: key, Body: strings.NewReader("0123456789"), ContentType: aws.String("text/cat"), CacheControl: aws.String("no-store"),
		Metadata: map[string]string{"owner": "anna"}, ContentEncoding: aws.String("identity"),
	}); err != nil {
		t.Fatal(err)
	}
	o, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: name, Key: key, Range: aws.String("bytes=2-4")})
	if err != nil {
		t.Fatal(err)
	}
	content, _ := io.ReadAll(o.Body)
	if string(content) != "234" || *o.ContentType != "text/cat" || *o.CacheControl != "no-store" || o.Metadata["owner"] != "anna" || *o.ContentRange != "bytes 2-4/10" {
		t.Errorf("got %q, %s, %s, %v, %s", content, *o.ContentType, *o.CacheControl, o.Metadata, *o.ContentRange)
	}
	if _, err := c.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: name, Key: aws.String("copy"), CopySource: aws.String("pictures/cat.txt")}); err != nil {
		t.Fatal(err)
	}
	if got := get(t, c, "copy"); got != "0123456789" {
		t.Errorf("the copy holds %q", got)
	}
	_, err = c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: name, Key: key, IfNoneMatch: aws.String("*"), Body: strings.NewReader("x")})
	if code(err) != "PreconditionFailed" {
		t.Errorf("a conditional write in place of an object: %v", err)
	}
	if _, err := c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: name, Key: key}); err != nil {
		t.Fatal(err)
	}
	_, err = c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: name, Key: key})
	if code(err) != "NoSuchKey" {
		t.Errorf("a deleted object: %v", err)
	}
	_, err = c.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{Bucket: name, Key: aws.String("copy"), Tagging: &types.Tagging{TagSet: []types.Tag{}}})
	if code(err) != "NotImplemented" || get(t, c, "copy") != "0123456789" {
		t.Errorf("an operation that is not there: %v", err)
	}
}

func TestMultipart(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, resource.Visible{})
	name, key := aws.String("pictures"), aws.String("big")
	up, err := c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: name, Key: key, ContentType: aws.String("video/mp4")})
	if err != nil {
		t.Fatal(err)
	}
	whole := make([]byte, 11<<20)
	_, _ = rand.Read(whole)
	var parts []types.CompletedPart
	for i, piece := range [][]byte{whole[:5<<20], whole[5<<20 : 10<<20], whole[10<<20:]} {
		number := aws.Int32(int32(i + 1))
		p, err := c.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: name, Key: key, UploadId: up.UploadId, PartNumber: number, Body: bytes.NewReader(piece)})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{ETag: p.ETag, PartNumber: number})
	}
	if _, err := c.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: name, Key: key, UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	}); err != nil {
		t.Fatal(err)
	}
	if got := get(t, c, "big"); got != string(whole) {
		t.Errorf("%d bytes came back, not the %d that were sent", len(got), len(whole))
	}
	_, err = c.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: name, Key: key, UploadId: up.UploadId})
	if code(err) != "NoSuchUpload" {
		t.Errorf("an upload that is complete: %v", err)
	}
}

// TestEvents: watchers are told of every change, those too that were made while nobody listened.
func TestEvents(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := openStore(t, dir)
	if err := store.Create(t.Context(), "pictures", ""); err != nil {
		t.Fatal(err)
	}
	if err := store.Watch(t.Context(), "pictures", "thumbs"); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a", "b"} {
		if _, err := store.Put(t.Context(), "pictures", key, nil, strings.NewReader("x"), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.DeleteObject(t.Context(), "pictures", "a"); err != nil {
		t.Fatal(err)
	}
	_ = store.Close()
	store = openStore(t, dir)
	defer func() { _ = store.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []string
	refused := false
	if err := store.Deliver(ctx, "thumbs", func(_ context.Context, e bucket.Event) error {
		if e.Key == "b" && !refused {
			refused = true
			return errors.New("not now")
		}
		got = append(got, e.Name+" "+e.Key)
		if len(got) == 3 {
			cancel()
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if want := "[ObjectCreated:Put a ObjectRemoved:Delete a ObjectCreated:Put b]"; fmt.Sprint(got) != want {
		t.Errorf("told of %v, want %s", got, want)
	}
}
