package lambdaapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"github.com/aloft-run/aloft"
)

// Code unpacks zips and has the artifacts that were made of them.
type Code interface {
	// Unzip unpacks into a directory, which does not exist. It returns Invalid for a zip that cannot be used.
	Unzip(ctx context.Context, from io.ReaderAt, size int64, to string, limits ZipLimits) error
	// Open returns an artifact, NotFound if there is none.
	Open(digest string) (Artifact, error)
}

// ZipLimits are what a zip may hold.
type ZipLimits struct {
	Files int
	Bytes int64
}

// Artifact is an open artifact.
type Artifact interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Objects are where S3Bucket and S3Key lead.
type Objects interface {
	// Object returns an object's content, NotFound if there is none. Version may be "".
	Object(ctx context.Context, bucket, key, version string) (io.ReadCloser, error)
}

// Bounds of Lambda for a function's code ("Lambda quotas"), and one of ours: files.
const (
	maxZip      = 50 << 20  // bytes, of one that is sent
	maxUnzipped = 250 << 20 // bytes
	maxFiles    = 100_000
)

// code is where a function's code comes from.
type code struct {
	ZipFile         []byte
	S3Bucket        string
	S3Key           string
	S3ObjectVersion string
	ImageURI        string `json:"ImageUri"`
}

// unpacked is code on the disk.
type unpacked struct {
	dir  string // has the code in its directory "code"
	sha  string // of the zip, base64
	size int64  // of the zip
}

func (u *unpacked) tree() string { return filepath.Join(u.dir, "code") }

func (u *unpacked) remove() { _ = os.RemoveAll(u.dir) } // a leftover is removed at the next start

// note keeps what the zip was with the function.
func (u *unpacked) note(f *aloft.Function) {
	put(&f.Attributes, attrSha, strconv.Quote(u.sha))
	put(&f.Attributes, attrSize, strconv.FormatInt(u.size, 10))
}

// ship releases a function with code.
func (a *API) ship(ctx context.Context, input aloft.PackageInput, from code) (aloft.Deployment, error) {
	unpacked, err := a.unpack(ctx, from)
	if err != nil {
		return aloft.Deployment{}, err
	}
	defer unpacked.remove()
	unpacked.note(&input.Function)
	input.Dir, input.MaxFiles, input.MaxBytes = unpacked.tree(), maxFiles, maxUnzipped
	if err := a.checkSize(input, ""); err != nil {
		return aloft.Deployment{}, err
	}
	return a.Deployer.Package(ctx, input, aloft.Discard{})
}

// unpack unpacks code into a new directory, which the caller removes.
func (a *API) unpack(ctx context.Context, from code) (*unpacked, error) {
	zip, err := a.zip(ctx, from)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(a.Dir, 0o700); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(a.Dir, "unpack-")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(zip)
	u := &unpacked{dir: dir, sha: base64.StdEncoding.EncodeToString(sum[:]), size: int64(len(zip))}
	if err := a.Code.Unzip(ctx, bytes.NewReader(zip), u.size, u.tree(), ZipLimits{maxFiles, maxUnzipped}); err != nil {
		u.remove()
		return nil, err
	}
	return u, nil
}

func (a *API) zip(ctx context.Context, from code) ([]byte, error) {
	switch {
	case from.ImageURI != "":
		return nil, invalid("Container images are not run by aloft: package the function as a zip.")
	case len(from.ZipFile) > 0 && from.S3Bucket == "":
		return from.ZipFile, nil
	case from.S3Bucket == "" || from.S3Key == "" || len(from.ZipFile) > 0:
		return nil, invalid("Please provide a source for function code: ZipFile, or S3Bucket and S3Key.")
	case a.Objects == nil:
		return nil, invalid("Error occurred while GetObject. There are no buckets here: send the code as ZipFile.")
	}
	object, err := a.Objects.Object(ctx, from.S3Bucket, from.S3Key, from.S3ObjectVersion)
	if aloft.ErrorCode(err) == aloft.NotFound {
		return nil, invalid("Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.")
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = object.Close() }()
	zip, err := io.ReadAll(io.LimitReader(object, maxUnzipped+1))
	if err == nil && len(zip) > maxUnzipped {
		err = invalid("Unzipped size must be smaller than %d bytes", maxUnzipped)
	}
	return zip, err
}

// codePath is below what the code of functions is downloaded.
const codePath = "/aloft/code/"

// location is where a function's code can be downloaded for a while.
func (a *API) location(digest string) (string, error) {
	return a.Presign(a.Endpoint() + codePath + digest)
}

// download sends an artifact, which is a zip.
func (a *API) download(w http.ResponseWriter, r *http.Request) {
	artifact, err := a.Code.Open(r.PathValue("digest"))
	if err != nil {
		writeFailure(w, err)
		return
	}
	defer func() { _ = artifact.Close() }()
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Length", strconv.FormatInt(artifact.Size(), 10))
	_, err = io.Copy(w, io.NewSectionReader(artifact, 0, artifact.Size()))
	if err != nil && !errors.Is(err, r.Context().Err()) {
		panic(http.ErrAbortHandler) // the client must not take it for whole
	}
}
