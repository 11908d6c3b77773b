package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/aloft-run/aloft"
)

// Keys are objects of the bucket by their keys, whatever they are: see aws.Objects.
type Keys struct{ bucket *Bucket }

// Keys returns the objects of the bucket.
func (b *Bucket) Keys() Keys { return Keys{b} }

// Exists reports whether the bucket is there. It asks for the index, which nearly all commands read next: they find it read.
func (b *Bucket) Exists(ctx context.Context) (bool, error) {
	index, err := b.fetch(ctx, indexKey)
	if errors.Is(err, errNoBucket) {
		return false, nil
	}
	if err != nil && !errors.Is(err, errMissing) {
		return false, b.final("look for the bucket", indexKey, err)
	}
	b.memory.foresee(index)
	return true, nil
}

// zips returns the objects that a key is one of, and its digest there, if they are zips named by their digests.
func (k Keys) zips(key string) (o *Objects, digest string, ok bool) {
	at := strings.LastIndexByte(key, '/') + 1
	o = k.bucket.Objects(key[:at])
	digest = o.digest(key)
	return o, digest, digest != ""
}

// Has reports whether a key is there. An old object that will be needed again is made young, so that none collects it.
func (k Keys) Has(ctx context.Context, key string) (bool, error) {
	if o, digest, ok := k.zips(key); ok {
		there, err := o.head(ctx, digest)
		if errors.Is(err, errMissing) {
			return false, nil
		}
		if err == nil {
			err = o.renew(ctx, key, there)
		}
		return err == nil, err
	}
	_, err := k.bucket.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &k.bucket.name, Key: &key})
	if err = k.bucket.fail(ctx, "look for", key, err); errors.Is(err, errMissing) {
		return false, nil
	}
	return err == nil, err
}

// Put stores size bytes under a key. open is called again if it has to start anew. Zips named by their digests, of which Has said that
// they are not there, are uploaded as [Objects] are, if they can be read from anywhere.
func (k Keys) Put(ctx context.Context, key string, size int64, open func() (io.ReadCloser, error)) error {
	body, err := open()
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // read-only
	if o, digest, ok := k.zips(key); ok {
		if anywhere, is := body.(io.ReaderAt); is {
			return o.upload(ctx, digest, io.NewSectionReader(anywhere, 0, size), "", aloft.Discard{})
		}
	}
	seekable, ok := body.(io.ReadSeeker)
	if !ok {
		const most = 64 << 20
		data, err := io.ReadAll(io.LimitReader(body, most))
		if err != nil {
			return fmt.Errorf("read what goes to %s: %w", k.bucket.place(key), err)
		}
		seekable = bytes.NewReader(data)
	}
	_, err = k.bucket.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &k.bucket.name, Key: &key, Body: seekable, ContentLength: &size})
	return k.bucket.fail(ctx, "upload", key, err)
}

// Get returns NotFound if the key is not there.
func (k Keys) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	out, err := k.bucket.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &k.bucket.name, Key: &key})
	if err = k.bucket.fail(ctx, "read", key, err); errors.Is(err, errMissing) {
		return nil, aloft.Errorf(aloft.NotFound, "%s is not there", k.bucket.place(key))
	}
	if err != nil {
		return nil, err
	}
	return out.Body, nil
}

// Delete deletes a key. One that is not there is no error.
func (k Keys) Delete(ctx context.Context, key string) error { return k.bucket.remove(ctx, key, "") }

// Empty deletes all objects of another bucket of the account, in all their versions. A bucket that is not there is empty.
func (k Keys) Empty(ctx context.Context, bucket string) error {
	pages := s3.NewListObjectVersionsPaginator(k.bucket.client, &s3.ListObjectVersionsInput{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() == "NoSuchBucket" {
			return nil
		}
		if err != nil {
			return aloft.Errorf(aloft.Unavailable, "empty the bucket %s: %w", bucket, err)
		}
		var ids []types.ObjectIdentifier
		for _, v := range page.Versions {
			ids = append(ids, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			ids = append(ids, types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		if len(ids) == 0 {
			continue
		}
		out, err := k.bucket.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &bucket, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)}})
		if err == nil && len(out.Errors) > 0 {
			err = fmt.Errorf("%s: %s", aws.ToString(out.Errors[0].Key), aws.ToString(out.Errors[0].Message))
		}
		if err != nil {
			return aloft.Errorf(aloft.Unavailable, "empty the bucket %s: %w", bucket, err)
		}
	}
	return nil
}
