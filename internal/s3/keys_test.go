package s3_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/awstest"
	"github.com/aloft-run/aloft/internal/s3"
)

// opened are bytes that can be read from anywhere, as those of a file.
type opened struct{ *bytes.Reader }

func (opened) Close() error { return nil }

func content(t *testing.T, keys s3.Keys, key string) string {
	t.Helper()
	body, err := keys.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Objects of any key are written, found, read and deleted; zips named by digests only with the bytes that have them.
func TestKeys(t *testing.T) {
	config := fake(t)
	bucket := makeBucket(t, config)
	keys := bucket.Keys()
	if there, err := bucket.Exists(t.Context()); err != nil || !there {
		t.Fatalf("the bucket: %v, %v", there, err)
	}
	if there, err := s3.Open(config, "aloft-none", "123456789012").Exists(t.Context()); err != nil || there {
		t.Errorf("a bucket that is not there: %v, %v", there, err)
	}
	sum := sha256.Sum256([]byte("zip"))
	for _, key := range []string{"templates/a.json", "artifacts/" + hex.EncodeToString(sum[:]) + ".zip"} {
		if has, err := keys.Has(t.Context(), key); err != nil || has {
			t.Fatalf("%s before: %v, %v", key, has, err)
		}
		if _, err := keys.Get(t.Context(), key); aloft.ErrorCode(err) != aloft.NotFound {
			t.Errorf("%s before: %v", key, err)
		}
		put := func(text string) error {
			return keys.Put(t.Context(), key, int64(len(text)), func() (io.ReadCloser, error) { return opened{bytes.NewReader([]byte(text))}, nil })
		}
		if err := put("zip"); err != nil {
			t.Fatal(err)
		}
		if has, err := keys.Has(t.Context(), key); err != nil || !has || content(t, keys, key) != "zip" {
			t.Errorf("%s after: %v, %v", key, has, err)
		}
		if err := keys.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
		if err := keys.Delete(t.Context(), key); err != nil {
			t.Errorf("again: %v", err)
		}
	}
	stream := func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("streamed")), nil }
	if err := keys.Put(t.Context(), "state/a.json", 8, stream); err != nil || content(t, keys, "state/a.json") != "streamed" {
		t.Error(err)
	}
}

// A bucket is emptied with all versions; one that is not there is empty.
func TestEmpty(t *testing.T) {
	config := awstest.Emulator(t).Config
	bucket, other := makeBucket(t, config), makeBucket(t, config)
	for _, key := range []string{"a", "b/c"} {
		put := func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(key)), nil }
		if err := other.Keys().Put(t.Context(), key, int64(len(key)), put); err != nil {
			t.Fatal(err)
		}
	}
	if err := bucket.Keys().Empty(t.Context(), other.Name()); err != nil {
		t.Fatal(err)
	}
	if has, err := other.Keys().Has(t.Context(), "a"); err != nil || has {
		t.Errorf("after: %v, %v", has, err)
	}
	if err := bucket.Keys().Empty(context.WithoutCancel(t.Context()), "aloft-none"); err != nil {
		t.Errorf("a bucket that is not there: %v", err)
	}
}
