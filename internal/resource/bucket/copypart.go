package bucket

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
)

// copiesPart reports whether a request is for an upload's part that is a copy, which gofakes3 does not know.
func copiesPart(r *http.Request) bool {
	return r.Method == http.MethodPut && r.Header.Get("X-Amz-Copy-Source") != "" && r.URL.Query().Has("uploadId")
}

// copyPart makes a part of an upload from an object that is there.
func (s *Store) copyPart(w http.ResponseWriter, r *http.Request, visible resource.Visible) *failure {
	source, err := url.PathUnescape(r.Header.Get("X-Amz-Copy-Source"))
	fromBucket, fromKey, ok := strings.Cut(strings.TrimPrefix(source, "/"), "/")
	number, numberErr := strconv.Atoi(r.URL.Query().Get("partNumber"))
	if err != nil || !ok || numberErr != nil || number < 1 || number > 10000 {
		return &failure{Code: "InvalidArgument", Message: "the source or the number of the part is wrong", status: http.StatusBadRequest}
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if !visible.Sees(aloft.Bucket, fromBucket) {
		return noBucket()
	}
	_, content, err := s.Get(r.Context(), fromBucket, fromKey, copySpan(r.Header.Get("X-Amz-Copy-Source-Range")))
	if err != nil {
		return copyFailure(err, "NoSuchKey")
	}
	defer func() { _ = content.Close() }()
	part, err := s.PutPart(r.Context(), bucket, key, r.URL.Query().Get("uploadId"), number, content)
	if err != nil {
		return copyFailure(err, "NoSuchUpload")
	}
	w.Header().Set("Content-Type", "application/xml")
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(struct { // the client is gone if it fails
		XMLName      xml.Name `xml:"CopyPartResult"`
		ETag         string
		LastModified string
	}{ETag: `"` + hexOf(part.MD5) + `"`, LastModified: part.Modified.Format("2006-01-02T15:04:05.000Z")})
	return nil
}

func copyFailure(err error, missing string) *failure {
	if full, ok := errors.AsType[*resource.Full](err); ok {
		return &failure{Code: quotaExceeded, Message: full.Error(), status: http.StatusInsufficientStorage}
	}
	code := aloft.ErrorCode(err)
	if code == aloft.NotFound {
		return &failure{Code: missing, Message: err.Error(), status: http.StatusNotFound}
	}
	if code == aloft.Invalid {
		return &failure{Code: "InvalidRange", Message: err.Error(), status: http.StatusRequestedRangeNotSatisfiable}
	}
	return &failure{Code: "InternalError", Message: "the part cannot be copied", status: http.StatusInternalServerError}
}

// copySpan reads "bytes=first-last"; "" is all.
func copySpan(text string) Span {
	if text == "" {
		return nil
	}
	return func(size int64) (offset, length int64, err error) {
		var first, last int64
		if n, err := fmt.Sscanf(text, "bytes=%d-%d", &first, &last); n != 2 || err != nil || first < 0 || last < first || last >= size {
			return 0, 0, aloft.Errorf(aloft.Invalid, "the object has no bytes %q", text)
		}
		return first, last - first + 1, nil
	}
}
