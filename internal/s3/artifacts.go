package s3

import (
	"context"
	"io"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
)

// Artifacts are those of a bucket, with the store of this machine that they come from and go to.
type Artifacts struct {
	*Objects

	local *artifact.Store
}

// Artifacts returns the artifacts of the bucket.
func (b *Bucket) Artifacts(local *artifact.Store) *Artifacts {
	return &Artifacts{Objects: b.Objects("artifacts/"), local: local}
}

// Upload puts an artifact of this machine into the bucket unless it is there. It returns NotFound if this machine does not have it either.
func (a *Artifacts) Upload(ctx context.Context, digest string, report aloft.Reporter) error {
	blob, err := a.local.Open(digest)
	if aloft.ErrorCode(err) == aloft.NotFound { // built on another machine, which put it there
		if has, other := a.Has(ctx, digest); other != nil || has {
			return other
		}
	}
	if err != nil {
		return err
	}
	defer func() { _ = blob.Close() }() // read-only
	return a.Put(ctx, digest, io.NewSectionReader(blob, 0, blob.Size()), report)
}

// Download puts an artifact of the bucket into the store of this machine unless it is there. It returns NotFound if the bucket does not hold it.
func (a *Artifacts) Download(ctx context.Context, digest string) error {
	if a.local.Has(digest) {
		return nil
	}
	body, err := a.Get(ctx, digest)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // read-only
	return a.local.Import(ctx, digest, body)
}
