package bucket

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/johannesboyne/gofakes3"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lineage"
	"github.com/aloft-run/aloft/internal/resource"
)

// backend shows gofakes3, which speaks S3's protocol, the buckets of a store that are visible. Its methods have no context:
// each is short, but for the bytes, which end with their connection.
type backend struct {
	store   *Store
	visible resource.Visible
	trace   string // of the request, if it has one
	full    *bool  // set when there was no room
}

var (
	_ gofakes3.Backend          = backend{}
	_ gofakes3.MultipartBackend = backend{}
)

func (b backend) ctx() context.Context { return lineage.With(context.Background(), b.trace) }

// translate makes S3's error of one of the store.
func translate(err error, bucket, key string) error {
	switch {
	case aloft.ErrorCode(err) != aloft.NotFound:
		return err
	case key == "":
		return gofakes3.BucketNotFound(bucket)
	}
	return gofakes3.KeyNotFound(key)
}

// quotaExceeded is what other stores with S3's API call it.
const quotaExceeded = "QuotaExceeded"

// notes makes S3's error of one that says that there is no room, and has the answer say so.
func (b backend) notes(err error) error {
	full, ok := errors.AsType[*resource.Full](err)
	if !ok {
		return err
	}
	*b.full = true
	return gofakes3.ErrorMessage(quotaExceeded, full.Error())
}

// ListBuckets implements gofakes3.Backend.
func (b backend) ListBuckets() ([]gofakes3.BucketInfo, error) {
	all, err := b.store.Buckets(b.ctx(), "")
	infos := []gofakes3.BucketInfo{}
	for _, bucket := range all {
		if b.visible.Sees(aloft.Bucket, bucket.Name) {
			infos = append(infos, gofakes3.BucketInfo{Name: bucket.Name, CreationDate: gofakes3.NewContentTime(bucket.Created)})
		}
	}
	return infos, err
}

// ListBucket implements gofakes3.Backend.
func (b backend) ListBucket(name string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	l := Listing{After: page.Marker, Max: int(page.MaxKeys)}
	if prefix != nil {
		l.Prefix, l.Delimiter = prefix.Prefix, prefix.Delimiter
	}
	listed, err := b.store.Objects(b.ctx(), name, l)
	if err != nil {
		return nil, err
	}
	list := gofakes3.NewObjectList()
	for _, o := range listed.Objects {
		list.Add(&gofakes3.Content{Key: o.Key, LastModified: gofakes3.NewContentTime(o.Modified), ETag: `"` + o.ETag() + `"`, Size: o.Size})
	}
	for _, p := range listed.Prefixes {
		list.AddPrefix(p)
	}
	list.NextMarker, list.IsTruncated = listed.Next, listed.Next != ""
	return list, nil
}

// CreateBucket implements gofakes3.Backend.
func (b backend) CreateBucket(name string) error {
	err := b.store.Create(b.ctx(), name, resource.OwnerText(b.visible.Owner))
	if aloft.ErrorCode(err) == aloft.Conflict {
		return gofakes3.ResourceError(gofakes3.ErrBucketAlreadyExists, name)
	}
	return err
}

// BucketExists implements gofakes3.Backend.
func (b backend) BucketExists(name string) (bool, error) {
	if !b.visible.Sees(aloft.Bucket, name) {
		return false, nil
	}
	return b.store.Exists(b.ctx(), name)
}

// DeleteBucket implements gofakes3.Backend.
func (b backend) DeleteBucket(name string) error { return b.remove(name, false) }

// ForceDeleteBucket implements gofakes3.Backend.
func (b backend) ForceDeleteBucket(name string) error { return b.remove(name, true) }

func (b backend) remove(name string, all bool) error {
	err := b.store.Delete(b.ctx(), name, all)
	if aloft.ErrorCode(err) == aloft.Conflict {
		return gofakes3.ResourceError(gofakes3.ErrBucketNotEmpty, name)
	}
	return translate(err, name, "")
}

// GetObject implements gofakes3.Backend.
func (b backend) GetObject(bucket, key string, wanted *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	var span *gofakes3.ObjectRange
	o, content, err := b.store.Get(b.ctx(), bucket, key, func(size int64) (int64, int64, error) {
		var err error
		if span, err = wanted.Range(size); err != nil || span == nil {
			return 0, size, err
		}
		return span.Start, span.Length, nil
	})
	if err != nil {
		return nil, translate(err, bucket, key)
	}
	shown := show(o)
	shown.Range, shown.Contents = span, content
	return shown, nil
}

// HeadObject implements gofakes3.Backend.
func (b backend) HeadObject(bucket, key string) (*gofakes3.Object, error) {
	if !b.visible.Sees(aloft.Bucket, bucket) {
		return nil, gofakes3.BucketNotFound(bucket)
	}
	o, err := b.store.Head(b.ctx(), bucket, key)
	if err != nil {
		return nil, translate(err, bucket, key)
	}
	return show(o), nil
}

func show(o Object) *gofakes3.Object {
	meta := maps.Clone(o.Meta)
	if meta == nil {
		meta = map[string]string{}
	}
	meta["Last-Modified"] = o.Modified.Format(http.TimeFormat)
	return &gofakes3.Object{Name: o.Key, Metadata: meta, Size: o.Size, Hash: o.MD5, Contents: io.NopCloser(bytes.NewReader(nil))}
}

// keep is what is stored of the headers that gofakes3 hands over.
func keep(meta map[string]string) map[string]string {
	kept := map[string]string{}
	for name, value := range meta {
		if hidden, ok := strings.CutPrefix(name, hiddenPrefix); ok {
			name = hidden
		}
		if strings.HasPrefix(name, "X-Amz-Meta-") || slices.Contains(append(hiddenHeaders(), "Content-Type", "Content-Disposition", "Content-Encoding"), name) {
			kept[name] = value
		}
	}
	return kept
}

// PutObject implements gofakes3.Backend.
func (b backend) PutObject(bucket, key string, meta map[string]string, input io.Reader, size int64, conditions *gofakes3.PutConditions) (gofakes3.PutObjectResult, error) {
	var only Condition
	if conditions != nil {
		only = func(now *Object) error {
			info := &gofakes3.ConditionalObjectInfo{Exists: now != nil}
			if now != nil {
				info.Hash = now.MD5
			}
			return gofakes3.CheckPutConditions(conditions, info)
		}
	}
	_, err := b.store.Put(b.ctx(), bucket, key, keep(meta), &exactly{in: input, left: size}, only)
	return gofakes3.PutObjectResult{}, translate(unwrap(b.notes(err)), bucket, "")
}

// unwrap finds gofakes3's own error in a chain, which it does not look through.
func unwrap(err error) error {
	for e := err; e != nil; {
		if _, ok := e.(gofakes3.Error); ok { //nolint:errorlint // the loop is the look
			return e
		}
		u, ok := e.(interface{ Unwrap() error })
		if !ok {
			break
		}
		e = u.Unwrap()
	}
	return err
}

// exactly fails unless there are as many bytes as promised.
type exactly struct {
	in   io.Reader
	left int64
}

// size is how many bytes are to come.
func (e *exactly) size() int64 { return e.left }

// Read implements io.Reader.
func (e *exactly) Read(b []byte) (int, error) {
	n, err := e.in.Read(b)
	e.left -= int64(n)
	if e.left < 0 || err == io.EOF && e.left > 0 {
		return n, gofakes3.ErrIncompleteBody
	}
	return n, err
}

// DeleteObject implements gofakes3.Backend.
func (b backend) DeleteObject(bucket, key string) (gofakes3.ObjectDeleteResult, error) {
	return gofakes3.ObjectDeleteResult{}, translate(b.store.DeleteObject(b.ctx(), bucket, key), bucket, "")
}

// DeleteMulti implements gofakes3.Backend.
func (b backend) DeleteMulti(bucket string, keys ...string) (gofakes3.MultiDeleteResult, error) {
	var result gofakes3.MultiDeleteResult
	for _, key := range keys {
		if err := b.store.DeleteObject(b.ctx(), bucket, key); err != nil {
			failed := gofakes3.ErrorResultFromError(translate(err, bucket, ""))
			failed.Key = key
			result.Error = append(result.Error, failed)
			continue
		}
		result.Deleted = append(result.Deleted, gofakes3.ObjectID{Key: key})
	}
	return result, nil
}

// CopyObject implements gofakes3.Backend.
func (b backend) CopyObject(srcBucket, srcKey, dstBucket, dstKey string, meta map[string]string) (gofakes3.CopyObjectResult, error) {
	if !b.visible.Sees(aloft.Bucket, srcBucket) {
		return gofakes3.CopyObjectResult{}, gofakes3.BucketNotFound(srcBucket)
	}
	_, content, err := b.store.Get(b.ctx(), srcBucket, srcKey, nil)
	if err != nil {
		return gofakes3.CopyObjectResult{}, translate(err, srcBucket, srcKey)
	}
	defer func() { _ = content.Close() }()
	o, err := b.store.Copy(b.ctx(), dstBucket, dstKey, keep(meta), content)
	return gofakes3.CopyObjectResult{ETag: `"` + hex.EncodeToString(o.MD5) + `"`, LastModified: gofakes3.NewContentTime(o.Modified)}, translate(b.notes(err), dstBucket, "")
}
