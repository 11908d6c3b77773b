package bucket

import (
	"io"
	"strings"

	"github.com/johannesboyne/gofakes3"

	"github.com/aloft-run/aloft"
)

// uploadError makes S3's error of one of an upload.
func uploadError(err error) error {
	if aloft.ErrorCode(err) == aloft.NotFound {
		return gofakes3.ErrNoSuchUpload
	}
	return unwrap(err)
}

// CreateMultipartUpload implements gofakes3.MultipartBackend.
func (b backend) CreateMultipartUpload(bucket, key string, meta map[string]string) (gofakes3.UploadID, error) {
	if len(key) > gofakes3.KeySizeLimit {
		return "", gofakes3.ResourceError(gofakes3.ErrKeyTooLong, key)
	}
	id, err := b.store.StartUpload(b.ctx(), bucket, key, keep(meta))
	return gofakes3.UploadID(id), translate(err, bucket, "")
}

// UploadPart implements gofakes3.MultipartBackend.
func (b backend) UploadPart(bucket, key string, id gofakes3.UploadID, number int, size int64, input io.Reader) (string, error) {
	p, err := b.store.PutPart(b.ctx(), bucket, key, string(id), number, &exactly{in: input, left: size})
	return `"` + hexOf(p.MD5) + `"`, uploadError(b.notes(err))
}

// ListMultipartUploads implements gofakes3.MultipartBackend.
func (b backend) ListMultipartUploads(bucket string, marker *gofakes3.UploadListMarker, prefix gofakes3.Prefix, limit int64) (*gofakes3.ListMultipartUploadsResult, error) {
	all, err := b.store.Uploads(b.ctx(), bucket)
	if err != nil {
		return nil, err
	}
	result := &gofakes3.ListMultipartUploadsResult{Bucket: bucket, MaxUploads: limit, Prefix: prefix.Prefix, Delimiter: prefix.Delimiter}
	for _, u := range all {
		if !strings.HasPrefix(u.Key, prefix.Prefix) || marker != nil && (u.Key < marker.Object || u.Key == marker.Object && u.ID <= string(marker.UploadID)) {
			continue
		}
		if int64(len(result.Uploads)) == limit {
			last := result.Uploads[limit-1]
			result.IsTruncated, result.NextKeyMarker, result.NextUploadIDMarker = true, last.Key, last.UploadID
			break
		}
		result.Uploads = append(result.Uploads, gofakes3.ListMultipartUploadItem{
			Key: u.Key, UploadID: gofakes3.UploadID(u.ID), Initiated: gofakes3.NewContentTime(u.Created),
		})
	}
	return result, nil
}

// ListParts implements gofakes3.MultipartBackend.
func (b backend) ListParts(bucket, key string, id gofakes3.UploadID, marker int, limit int64) (*gofakes3.ListMultipartUploadPartsResult, error) {
	parts, err := b.store.Parts(b.ctx(), bucket, key, string(id))
	if err != nil {
		return nil, uploadError(err)
	}
	result := &gofakes3.ListMultipartUploadPartsResult{Bucket: bucket, Key: key, UploadID: id, MaxParts: limit, PartNumberMarker: marker}
	for _, p := range parts {
		if p.Number <= marker {
			continue
		}
		if int64(len(result.Parts)) == limit {
			result.IsTruncated, result.NextPartNumberMarker = true, result.Parts[limit-1].PartNumber
			break
		}
		result.Parts = append(result.Parts, gofakes3.ListMultipartUploadPartItem{
			PartNumber: p.Number, ETag: `"` + hexOf(p.MD5) + `"`, Size: p.Size, LastModified: gofakes3.NewContentTime(p.Modified),
		})
	}
	return result, nil
}

// AbortMultipartUpload implements gofakes3.MultipartBackend.
func (b backend) AbortMultipartUpload(bucket, key string, id gofakes3.UploadID) error {
	return uploadError(b.store.AbortUpload(b.ctx(), bucket, key, string(id)))
}

// CompleteMultipartUpload implements gofakes3.MultipartBackend.
func (b backend) CompleteMultipartUpload(
	bucket, key string, id gofakes3.UploadID, input *gofakes3.CompleteMultipartUploadRequest,
) (gofakes3.VersionID, string, error) {
	o, err := b.store.FinishUpload(b.ctx(), bucket, key, string(id), func(stored []Part) ([]Part, error) { return choose(stored, input.Parts) })
	if err != nil {
		return "", "", uploadError(b.notes(err))
	}
	return "", `"` + o.ETag() + `"`, nil
}

// choose finds the parts that a client names.
func choose(stored []Part, named []gofakes3.CompletedPart) ([]Part, error) {
	byNumber := map[int]Part{}
	for _, p := range stored {
		byNumber[p.Number] = p
	}
	var chosen []Part
	for i, n := range named {
		p, ok := byNumber[n.PartNumber]
		if !ok || strings.Trim(n.ETag, `"`) != hexOf(p.MD5) {
			return nil, gofakes3.ErrInvalidPart
		}
		if i > 0 && named[i-1].PartNumber >= n.PartNumber {
			return nil, gofakes3.ErrInvalidPartOrder
		}
		chosen = append(chosen, p)
	}
	if len(chosen) == 0 {
		return nil, gofakes3.ErrInvalidPart
	}
	return chosen, nil
}
