package awsapi

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strings"
)

// The digest of nothing, and what S3's clients say in place of a digest.
const (
	emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	unsigned    = "UNSIGNED-PAYLOAD"
	streaming   = "STREAMING-" // chunks that are signed one by one, or not: the service reads them
)

// check verifies the signature. A digest in the head is part of what is signed: then the body need not be read before, and is
// checked while the service reads it. Without one the body is read as a whole.
func (f *Front) check(w http.ResponseWriter, r *http.Request, s *signature, credential Credential, most int64) (leave func(), err error) {
	leave = func() {}
	digest := r.Header.Get(digestHeader)
	switch {
	case s.service == s3 && (digest == unsigned || strings.HasPrefix(digest, streaming)):
	case s.service == s3 && s.presigned && digest == "":
		digest = unsigned
	case valuePattern.MatchString(digest):
		r.Body = &checked{ReadCloser: r.Body, hash: sha256.New(), want: digest}
	case digest != "":
		return nil, reject(incomplete, "%s is no digest.", digestHeader)
	default:
		if digest, leave, err = f.readBody(w, r, most); err != nil {
			return nil, err
		}
	}
	if want := s.of(r, credential.Secret, digest); subtle.ConstantTimeCompare([]byte(want), []byte(s.value)) != 1 {
		leave()
		return nil, reject(badSignature, "The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method.")
	}
	return leave, nil
}

// readBody reads the body into memory, when there is room for it, and returns its digest.
func (f *Front) readBody(w http.ResponseWriter, r *http.Request, most int64) (digest string, leave func(), err error) {
	if most == 0 {
		most = defaultBody
	}
	size := r.ContentLength
	switch {
	case size == 0:
		return emptyDigest, func() {}, nil
	case size > most:
		return "", nil, reject(tooLarge, "Request must be smaller than %d bytes", most)
	case size < 0:
		size = most
	}
	if err := f.bodies.Acquire(r.Context(), size); err != nil {
		return "", nil, reject(busy, "The client left.")
	}
	leave = func() { f.bodies.Release(size) }
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err != nil {
		leave()
		if _, over := errors.AsType[*http.MaxBytesError](err); over {
			return "", nil, reject(tooLarge, "Request must be smaller than %d bytes", most)
		}
		return "", nil, reject(incomplete, "The body was cut.")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), leave, nil
}

// errDigest is what reading a body ends with that is not the signed one.
var errDigest = errors.New("the body is not the one that was signed")

// checked compares a body with its digest. Its end is an error if it is another.
type checked struct {
	io.ReadCloser

	hash hash.Hash
	want string
}

// Read reads.
func (c *checked) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.hash.Write(p[:n])
	if err == io.EOF && hex.EncodeToString(c.hash.Sum(nil)) != c.want {
		err = errDigest
	}
	return n, err
}
