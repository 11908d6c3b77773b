// Package s3 keeps what aloft knows about stages on AWS in a bucket of their account: an aloft.AppService for a team that has
// nothing but AWS credentials, the lock of a stage, artifacts and shim layers, and the data keys of apps in KMS. It knows no
// stack and no function; package aws does.
//
// # Objects
//
//	state/index.json                               apps, their data keys (wrapped), stages, domains
//	state/stages/APP/STAGE/ID/stage.json           current, stopped, aliases, statuses, and the newest release whole
//	state/stages/APP/STAGE/ID/releases/N.json      an older release; written once
//	state/stages/APP/STAGE/ID/digests.json         a summary of older releases, so that Digests need not read them all
//	state/locks/APP/STAGE.json                     who changes the stage
//	artifacts/DIGEST.zip shims/DIGEST.zip          see Objects
//
// ID is random: a stage made again under the name of a deleted one finds nothing of it, whatever was left behind.
//
// # Why a kill at any moment leaves a right state
//
// Each change takes effect by one conditional write of one object, so there is nothing in between. Names that must be unique in
// the account (apps, hosts, domains) are all in the index; its write is the moment at which an app or stage exists or does not,
// and a stage without an object is one that nothing happened to yet. Everything about a stage's releases that changes is
// in stage.json: its write makes version N+1 exist, or moves a release out of pending and Current with it. A release is copied to
// an object of its own before the write that takes its place as the newest, never changes after, and is written once whoever writes it.
//
// # Lost answers
//
// A write may succeed and its answer be lost; tried again it fails, as the object is not as it was. So each write adds a random
// name to the object's last ones: who finds the own one there knows that it was done, also if others wrote since.
//
// # What it asks of S3
//
// If-None-Match: * and If-Match on PutObject, If-Match on DeleteObject, reads that see all writes before them, and the Date and
// Last-Modified headers: no clock of a client decides anything. A load of a stage is one round trip, two the first time (index
// and stage.json: 2 GETs); CreateRelease is 2 GETs and 2 PUTs, FinishRelease 2 GETs and 1 PUT. A list of releases reads older ones
// 16 at a time. Who holds the lock of a stage reads each of its objects once: see memory.
package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithy "github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Bucket is a bucket of the account. It is safe for concurrent use.
type Bucket struct {
	name   string
	client *s3.Client
	memory memory
}

// Open returns a bucket of an account, without asking whether it is there. No request is answered by a bucket of another account:
// the names of buckets are everybody's, and those of aloft's can be guessed.
func Open(config aws.Config, name, account string) *Bucket {
	return &Bucket{name: name, client: s3.NewFromConfig(config, func(o *s3.Options) {
		o.UsePathStyle = config.BaseEndpoint != nil // an emulator, which has no DNS names for buckets
		o.APIOptions = append(o.APIOptions, func(stack *smithy.Stack) error {
			return stack.Build.Add(smithy.BuildMiddlewareFunc("aloft.ExpectedBucketOwner", expectOwner(account)), smithy.After)
		})
	})}
}

// expectOwner names, in each request, the account whose bucket is meant, in place of ExpectedBucketOwner and
// ExpectedSourceBucketOwner in each input.
func expectOwner(account string) func(context.Context, smithy.BuildInput, smithy.BuildHandler) (smithy.BuildOutput, smithy.Metadata, error) {
	return func(ctx context.Context, in smithy.BuildInput, next smithy.BuildHandler) (smithy.BuildOutput, smithy.Metadata, error) {
		if request, ok := in.Request.(*smithyhttp.Request); ok {
			request.Header.Set("X-Amz-Expected-Bucket-Owner", account)
			if request.Header.Get("X-Amz-Copy-Source") != "" {
				request.Header.Set("X-Amz-Source-Expected-Bucket-Owner", account)
			}
		}
		return next.HandleBuild(ctx, in)
	}
}

// Name returns the bucket's name.
func (b *Bucket) Name() string { return b.name }

var (
	errMissing  = errors.New("there is no such object")
	errRaced    = errors.New("another write came before")
	errNoBucket = errors.New("there is no bucket")
)

// maxObject bounds what is read of an object of the state: 20,000 releases are 3 MB.
const maxObject = 64 << 20

// object is an object of the state as it was read, or written.
type object struct {
	data     []byte
	etag     string
	modified time.Time // by the clock of S3, in whole seconds
	now      time.Time // likewise, when S3 answered
	recalled bool      // S3 was not asked
}

// read returns errMissing if there is no such object.
func (b *Bucket) read(ctx context.Context, key string) (object, error) {
	found, turn, known := b.memory.recall(key)
	if known && ctx.Err() == nil {
		found.recalled = true
	} else {
		var err error
		if found, err = b.fetch(ctx, key); err != nil && !errors.Is(err, errMissing) {
			return object{}, err
		}
		b.memory.keep(key, found, turn)
	}
	if found.etag == "" {
		return found, errMissing
	}
	return found, nil
}

// fetch is read without memory.
func (b *Bucket) fetch(ctx context.Context, key string) (object, error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &key})
	if err != nil {
		return object{}, b.fail(ctx, "read", key, err)
	}
	defer out.Body.Close()
	data, err := io.ReadAll(io.LimitReader(out.Body, maxObject))
	if err != nil {
		return object{}, b.fail(ctx, "read", key, err)
	}
	return object{data: data, etag: aws.ToString(out.ETag), modified: aws.ToTime(out.LastModified), now: serverTime(out.ResultMetadata)}, nil
}

// write stores an object if the one there has the ETag, or if there is none and etag is "". It returns errRaced if not.
func (b *Bucket) write(ctx context.Context, key string, data []byte, etag string) (object, error) {
	input := &s3.PutObjectInput{Bucket: &b.name, Key: &key, Body: bytes.NewReader(data), ContentType: aws.String("application/json")}
	input.IfMatch, input.IfNoneMatch = conditions(etag)
	turn := b.memory.forget(key)
	out, err := b.client.PutObject(ctx, input)
	if err != nil {
		b.memory.forget(key)
		if err = b.fail(ctx, "write", key, err); errors.Is(err, errMissing) {
			err = errRaced // the object to replace was deleted
		}
		return object{}, err
	}
	made := object{data: data, etag: aws.ToString(out.ETag), now: serverTime(out.ResultMetadata)}
	b.memory.wrote(key, made, turn)
	return made, nil
}

// remove deletes an object if it has the ETag, whatever it is if etag is "". It returns errRaced if it has another one.
func (b *Bucket) remove(ctx context.Context, key, etag string) error {
	input := &s3.DeleteObjectInput{Bucket: &b.name, Key: &key}
	if etag != "" {
		input.IfMatch = &etag
	}
	_, err := b.client.DeleteObject(ctx, input)
	b.memory.forget(key)
	if err = b.fail(ctx, "delete", key, err); errors.Is(err, errMissing) {
		return nil
	}
	return err
}

// list calls each with the objects whose keys begin with prefix, a page of up to 1000 at a time, and S3's time of the answer.
func (b *Bucket) list(ctx context.Context, prefix string, each func(page []types.Object, now time.Time) error) error {
	pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return b.fail(ctx, "list", prefix, err)
		}
		if err := each(page.Contents, serverTime(page.ResultMetadata)); err != nil {
			return err
		}
	}
	return nil
}

// clear deletes all objects whose keys begin with prefix.
func (b *Bucket) clear(ctx context.Context, prefix string) error {
	return b.list(ctx, prefix, func(page []types.Object, _ time.Time) error {
		if len(page) == 0 {
			return nil
		}
		ids := make([]types.ObjectIdentifier, len(page))
		for i, o := range page {
			ids[i].Key = o.Key
		}
		_, err := b.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &b.name, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)}})
		for _, o := range page {
			b.memory.forget(aws.ToString(o.Key))
		}
		return b.fail(ctx, "delete", prefix, err)
	})
}

// serverTime is the Date of an answer of S3.
func serverTime(metadata smithy.Metadata) time.Time {
	if at, ok := middleware.GetServerTime(metadata); ok {
		return at
	}
	return time.Now() // no answer of S3 lacks it
}

// place names an object for people.
func (b *Bucket) place(key string) string { return fmt.Sprintf("s3://%s/%s", b.name, key) }

// notAnswered reports whether a request may have been done though it failed.
func notAnswered(status int) bool {
	return status == 0 || status >= http.StatusInternalServerError || status == http.StatusRequestTimeout || status == http.StatusTooManyRequests
}
