package s3

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/aloft-run/aloft"
)

// Grace is how long an object that nothing names is kept.
const Grace = 7 * 24 * time.Hour

// Objects are zips in the bucket, each named by the SHA-256 of its bytes.
type Objects struct {
	bucket *Bucket
	prefix string
	large  int64 // bytes from which uploads are in parts
	part   int64 // bytes
}

// Objects returns those below a prefix: "artifacts/", "shims/".
func (b *Bucket) Objects(prefix string) *Objects {
	const large, part = 64 << 20, 16 << 20
	return &Objects{bucket: b, prefix: prefix, large: large, part: part}
}

const suffix = ".zip"

// Key returns where in the bucket the object of a digest is, for templates and Lambda's API.
func (o *Objects) Key(digest string) string { return o.prefix + digest + suffix }

// digest is the inverse of Key. It returns "" for other keys.
func (o *Objects) digest(key string) string {
	name, zip := strings.CutSuffix(strings.TrimPrefix(key, o.prefix), suffix)
	if sum, err := hex.DecodeString(name); !zip || err != nil || len(sum) != sha256.Size {
		return ""
	}
	return name
}

// Has reports whether the bucket holds the object.
func (o *Objects) Has(ctx context.Context, digest string) (bool, error) {
	_, err := o.head(ctx, digest)
	if errors.Is(err, errMissing) {
		return false, nil
	}
	return err == nil, o.bucket.final("look for "+o.Key(digest), o.Key(digest), err)
}

// stat is what is known of an object without reading it.
type stat struct {
	size int64
	etag string
	age  time.Duration // by the clock of S3
}

func (o *Objects) head(ctx context.Context, digest string) (stat, error) {
	key := o.Key(digest)
	out, err := o.bucket.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &o.bucket.name, Key: &key})
	if err != nil {
		return stat{}, o.bucket.fail(ctx, "look for", key, err)
	}
	age := serverTime(out.ResultMetadata).Sub(aws.ToTime(out.LastModified))
	return stat{size: aws.ToInt64(out.ContentLength), etag: aws.ToString(out.ETag), age: age}, nil
}

// Put uploads an object unless the bucket holds it. S3 refuses bytes that do not have the digest. A large object is uploaded in
// parts, several at once; nothing is copied to memory or disk. What a kill leaves of it the bucket's rules remove after a week.
func (o *Objects) Put(ctx context.Context, digest string, body *io.SectionReader, report aloft.Reporter) error {
	key := o.Key(digest)
	there, err := o.head(ctx, digest)
	switch {
	case err == nil && there.size == body.Size():
		return o.renew(ctx, key, there)
	case err != nil && !errors.Is(err, errMissing):
		return o.bucket.final("upload "+key, key, err)
	}
	return o.upload(ctx, digest, body, there.etag, report)
}

// upload is Put for an object that the bucket does not hold whole: in its place is none, or one with the ETag.
func (o *Objects) upload(ctx context.Context, digest string, body *io.SectionReader, etag string, report aloft.Reporter) (err error) {
	key := o.Key(digest)
	report.Report(aloft.Output{Step: aloft.StepPackage, Text: fmt.Sprintf("uploading %s to %s", aloft.SizeText(body.Size()), o.bucket.place(key))})
	if body.Size() > o.large {
		err = o.putParts(ctx, digest, body, etag, report)
	} else {
		err = o.putWhole(ctx, digest, body, etag)
	}
	if err == nil {
		return nil
	}
	if now, again := o.head(ctx, digest); again == nil && now.size == body.Size() { // someone else's, or ours without an answer
		return nil
	}
	return o.bucket.final("upload "+key, key, err)
}

func (o *Objects) putWhole(ctx context.Context, digest string, body *io.SectionReader, etag string) error {
	key, sum := o.Key(digest), checksum(digest)
	input := &s3.PutObjectInput{
		Bucket: &o.bucket.name, Key: &key, Body: body, ContentLength: aws.Int64(body.Size()), ContentType: aws.String("application/zip"), ChecksumSHA256: &sum,
	}
	input.IfMatch, input.IfNoneMatch = conditions(etag)
	_, err := o.bucket.client.PutObject(ctx, input)
	if api, ok := errors.AsType[smithy.APIError](err); ok && (api.ErrorCode() == "BadDigest" || api.ErrorCode() == "XAmzContentChecksumMismatch") {
		return changed(digest)
	}
	return o.bucket.fail(ctx, "upload", key, err)
}

// conditions are those of a write in place of the object with an ETag, or of none.
func conditions(etag string) (ifMatch, ifNoneMatch *string) {
	if etag == "" {
		return nil, aws.String("*")
	}
	return &etag, nil
}

// checksum is a digest as S3 writes it.
func checksum(digest string) string {
	sum, err := hex.DecodeString(digest)
	if err != nil {
		return "" // S3 refuses it
	}
	return base64.StdEncoding.EncodeToString(sum)
}

func changed(digest string) error {
	return aloft.Errorf(aloft.Internal, "artifact %s is damaged on this machine: its bytes do not have its digest", digest[:min(12, len(digest))]).
		WithHint("deploy again with --force to make it anew")
}

// renew makes an object young again before Collect may take it: a release that is not written yet is about to name it.
func (o *Objects) renew(ctx context.Context, key string, there stat) error {
	if there.age < Grace/2 {
		return nil
	}
	source := o.bucket.name + "/" + key
	_, err := o.bucket.client.CopyObject(ctx, &s3.CopyObjectInput{
		Bucket: &o.bucket.name, Key: &key, CopySource: &source, CopySourceIfMatch: &there.etag, ContentType: aws.String("application/zip"),
		MetadataDirective: types.MetadataDirectiveReplace, // S3 refuses a copy onto itself that changes nothing
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	})
	if err = o.bucket.fail(ctx, "renew", key, err); errors.Is(err, errRaced) {
		return nil // somebody else renewed it
	}
	return o.bucket.final("renew "+key, key, err)
}

// Get opens an object. Whether its bytes have the digest the reader checks. It returns NotFound if the bucket does not hold it.
func (o *Objects) Get(ctx context.Context, digest string) (io.ReadCloser, error) {
	key := o.Key(digest)
	out, err := o.bucket.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &o.bucket.name, Key: &key})
	if err == nil {
		return download{out.Body, func(err error) error { return o.bucket.fail(ctx, "read", key, err) }}, nil
	}
	if err = o.bucket.fail(ctx, "read", key, err); errors.Is(err, errMissing) {
		return nil, aloft.Errorf(aloft.NotFound, "%s is not there", o.bucket.place(key)).WithHint("deploy again with --force to make it anew")
	}
	return nil, o.bucket.final("download", key, err)
}

// download is a body whose errors name the object.
type download struct {
	io.ReadCloser

	fail func(error) error
}

func (d download) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = d.fail(err)
	}
	return n, err
}

// Collect deletes the objects that keep does not name and that are older than Grace. It returns how many, and their bytes. Keep
// must hold the digests of all releases of all stages (Store.Digests), and what else is in use.
func (o *Objects) Collect(ctx context.Context, keep map[string]bool) (removed int, bytes int64, err error) {
	var mu sync.Mutex
	err = o.bucket.list(ctx, o.prefix, func(page []types.Object, now time.Time) error {
		return each(ctx, len(page), func(ctx context.Context, i int) error {
			digest := o.digest(aws.ToString(page[i].Key))
			if digest == "" || keep[digest] || now.Sub(aws.ToTime(page[i].LastModified)) < Grace {
				return nil
			}
			// A deploy may have renewed it since the list was made.
			if there, err := o.head(ctx, digest); err != nil || there.age < Grace {
				return err
			}
			if err := o.bucket.remove(ctx, aws.ToString(page[i].Key), ""); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			removed, bytes = removed+1, bytes+aws.ToInt64(page[i].Size)
			return nil
		})
	})
	return removed, bytes, o.bucket.final("collect "+o.prefix, o.prefix, err)
}
