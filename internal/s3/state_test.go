package s3_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/s3"
)

// raw reads and writes objects behind the store's back.
type raw struct {
	client *awss3.Client
	bucket string
}

func rawOf(config aws.Config, bucket string) raw {
	return raw{awss3.NewFromConfig(config, func(o *awss3.Options) { o.UsePathStyle = true }), bucket}
}

func (r raw) keys(t *testing.T, suffix string) (keys []string) {
	t.Helper()
	out, err := r.client.ListObjectsV2(t.Context(), &awss3.ListObjectsV2Input{Bucket: &r.bucket})
	check(t, "list", err)
	for _, o := range out.Contents {
		if strings.HasSuffix(*o.Key, suffix) {
			keys = append(keys, *o.Key)
		}
	}
	return keys
}

func (r raw) get(t *testing.T, key string) []byte {
	t.Helper()
	out, err := r.client.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: &r.bucket, Key: &key})
	check(t, "get", err)
	data, err := io.ReadAll(out.Body)
	check(t, "read", err)
	return data
}

func (r raw) put(t *testing.T, key string, data []byte) {
	t.Helper()
	_, err := r.client.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: &r.bucket, Key: &key, Body: bytes.NewReader(data)})
	check(t, "put", err)
}

// TestDamaged: an object that is not as we wrote it is never taken for something else, and never written over; the error names it.
func TestDamaged(t *testing.T) {
	t.Parallel()
	config := fake(t)
	bucket, store := served(t, config)
	_, err := store.CreateRelease(t.Context(), change(web, "second")) // moves v1 to an object of its own
	check(t, "CreateRelease", err)
	r := rawOf(config, bucket)
	read := map[string]func() error{
		"index.json":      func() error { _, err := store.Stage(t.Context(), web); return err },
		"stage.json":      func() error { return store.FinishRelease(t.Context(), web, 2, "") },
		"releases/1.json": func() error { _, err := store.Releases(t.Context(), web, 0); return err },
	}
	for suffix, use := range read {
		key := r.keys(t, suffix)[0]
		good := r.get(t, key)
		for what, test := range map[string]struct {
			data []byte
			code aloft.Code
		}{
			"empty":        {nil, aloft.Internal},
			"cut":          {good[:len(good)/2], aloft.Internal},
			"longer":       {append(bytes.Clone(good), '{'), aloft.Internal},
			"other object": {bytes.Replace(good, []byte(`"key":"state/`), []byte(`"key":"stale/`), 1), aloft.Internal},
			"new field":    {bytes.Replace(good, []byte(`{`), []byte(`{"future":1,`), 1), aloft.Internal},
			"newer":        {bytes.Replace(good, []byte(`{"format":1`), []byte(`{"future":1,"format":2`), 1), aloft.Conflict},
		} {
			r.put(t, key, test.data)
			err := use()
			if aloft.ErrorCode(err) != test.code || !strings.Contains(fmt.Sprint(err), "s3://"+bucket+"/"+key) {
				t.Errorf("%s, %s: %v", suffix, what, err)
			}
			if now := r.get(t, key); !bytes.Equal(now, test.data) {
				t.Errorf("%s, %s: it was written over", suffix, what)
			}
		}
		r.put(t, key, good)
	}
	key := r.keys(t, "releases/1.json")[0]
	_, err = r.client.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: &bucket, Key: &key})
	check(t, "delete", err)
	if err := read["releases/1.json"](); aloft.ErrorCode(err) != aloft.Internal || !strings.Contains(err.Error(), key) {
		t.Errorf("a release is missing: %v", err)
	}
}

// TestNoText: what JSON cannot hold is refused, not changed.
func TestNoText(t *testing.T) {
	t.Parallel()
	_, store := served(t, fake(t))
	for text, code := range map[string]aloft.Code{"a\xffb": aloft.Invalid, "a\ufffdb": "", `a\ufffdb`: "", "\\\xff": aloft.Invalid} {
		release := change(web, "ada")
		release.Description = text
		made, err := store.CreateRelease(t.Context(), release)
		if aloft.ErrorCode(err) != code {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil && made.Description != text {
			t.Errorf("%q became %q", text, made.Description)
		}
	}
}

func TestNoBucket(t *testing.T) {
	t.Parallel()
	store := s3.NewStore(s3.Open(fake(t), "no-such-bucket", "123456789012"), "ada")
	_, err := store.Stage(t.Context(), web)
	if aloft.ErrorCode(err) != aloft.Unavailable || !strings.Contains(err.Error(), "no-such-bucket") {
		t.Errorf("Stage: %v", err)
	}
}

// TestRequests: what a command costs does not grow with the history.
func TestRequests(t *testing.T) {
	t.Parallel()
	config := fake(t)
	name, clean := served(t, config)
	for range 50 {
		made, err := clean.CreateRelease(t.Context(), change(web, "more"))
		check(t, "CreateRelease", err)
		check(t, "FinishRelease", clean.FinishRelease(t.Context(), web, made.Version, ""))
	}
	bucket, seen := watched(config, name)
	store, ctx := s3.NewStore(bucket, "ada"), t.Context()
	version := 0
	for _, step := range []struct {
		what       string
		do         func() error
		gets, puts int
	}{
		{"Stage", func() error { _, err := store.Stage(ctx, web); return err }, 2, 0},
		{"Releases(1)", func() error { _, err := store.Releases(ctx, web, 1); return err }, 2, 0},
		{"Release", func() error { _, err := store.Release(ctx, web, 51); return err }, 2, 0},
		{"Release", func() error { _, err := store.Release(ctx, web, 3); return err }, 3, 0},
		{"App", func() error { _, err := store.App(ctx, "web"); return err }, 1, 0},
		{"CreateRelease", func() error {
			made, err := store.CreateRelease(ctx, change(web, "last"))
			version = made.Version
			return err
		}, 2, 2},
		{"FinishRelease", func() error { return store.FinishRelease(ctx, web, version, "") }, 2, 1},
		{"Digests", func() error { _, err := store.Digests(ctx); return err }, 3 + 51, 1},
		{"Digests with a summary", func() error { _, err := store.Digests(ctx); return err }, 3, 0},
	} {
		gets, puts := seen.count(http.MethodGet), seen.count(http.MethodPut)
		check(t, step.what, step.do())
		if gets, puts = seen.count(http.MethodGet)-gets, seen.count(http.MethodPut)-puts; gets != step.gets || puts != step.puts {
			t.Errorf("%s: %d GETs and %d PUTs, want %d and %d", step.what, gets, puts, step.gets, step.puts)
		}
	}
	digests, err := store.Digests(ctx)
	check(t, "Digests", err)
	if len(digests) != 3 || !digests["first"] || !digests["more"] || !digests["last"] {
		t.Errorf("Digests: %v", digests)
	}
}
