package s3

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/aloft-run/aloft"
)

const (
	partsAtOnce = 4
	maxParts    = 10000 // by S3
	abortLimit  = 10 * time.Second
)

// putParts uploads an object in parts. S3 checks the sum of each part, and knows none of the whole, so that is checked before.
func (o *Objects) putParts(ctx context.Context, digest string, body *io.SectionReader, etag string, report aloft.Reporter) (err error) {
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(body, 0, body.Size())); err != nil {
		return aloft.Errorf(aloft.Internal, "read artifact: %w", err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != digest {
		return changed(digest)
	}
	key := o.Key(digest)
	begun, err := o.bucket.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &o.bucket.name, Key: &key, ContentType: aws.String("application/zip"), ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	})
	if err != nil {
		return o.bucket.fail(ctx, "upload", key, err)
	}
	defer func() {
		if err != nil {
			o.abort(context.WithoutCancel(ctx), key, begun.UploadId)
		}
	}()
	parts, err := o.sendParts(ctx, key, begun.UploadId, body, report)
	if err != nil {
		return err
	}
	input := &s3.CompleteMultipartUploadInput{
		Bucket: &o.bucket.name, Key: &key, UploadId: begun.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	}
	input.IfMatch, input.IfNoneMatch = conditions(etag)
	_, err = o.bucket.client.CompleteMultipartUpload(ctx, input)
	return o.bucket.fail(ctx, "upload", key, err)
}

// sendParts sends the parts, several at once.
func (o *Objects) sendParts(ctx context.Context, key string, upload *string, body *io.SectionReader, report aloft.Reporter) ([]types.CompletedPart, error) {
	size := max(o.part, (body.Size()+maxParts-1)/maxParts)
	parts := make([]types.CompletedPart, (body.Size()+size-1)/size)
	var sent atomic.Int64
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(partsAtOnce)
	for i := range parts {
		group.Go(func() error {
			from, number := int64(i)*size, aws.Int32(int32(i+1))
			part := io.NewSectionReader(body, from, min(size, body.Size()-from))
			out, err := o.bucket.client.UploadPart(inner, &s3.UploadPartInput{
				Bucket: &o.bucket.name, Key: &key, UploadId: upload, PartNumber: number, Body: part, ContentLength: aws.Int64(part.Size()),
				ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
			})
			if err != nil {
				return o.bucket.fail(ctx, "upload", key, err)
			}
			parts[i] = types.CompletedPart{PartNumber: number, ETag: out.ETag, ChecksumSHA256: out.ChecksumSHA256}
			done := sent.Add(part.Size())
			report.Report(aloft.Output{Step: aloft.StepPackage, Text: fmt.Sprintf("uploaded %s of %s", aloft.SizeText(done), aloft.SizeText(body.Size()))})
			return nil
		})
	}
	return parts, group.Wait()
}

// abort frees the parts. If it cannot, the bucket's rules do after a week.
func (o *Objects) abort(ctx context.Context, key string, upload *string) {
	ctx, cancel := context.WithTimeout(ctx, abortLimit)
	defer cancel()
	_, _ = o.bucket.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &o.bucket.name, Key: &key, UploadId: upload})
}
