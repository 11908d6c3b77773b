// Package compression has the ways to compress files that this machine's platform offers. It is apart from package static so that
// the shim inside of Lambda does without third-party code.
package compression

import (
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/aloft-run/aloft/internal/static"
)

// All are zstd and gzip.
func All() []static.Encoding {
	return []static.Encoding{{Name: "zstd", Compress: asZstd}, {Name: "gzip", Compress: asGzip}}
}

func asGzip(w io.Writer, r io.Reader) error { return through(gzip.NewWriter(w), r) }

func asZstd(w io.Writer, r io.Reader) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBetterCompression))
	if err != nil {
		return err
	}
	return through(z, r)
}

func through(w io.WriteCloser, r io.Reader) error {
	if _, err := io.Copy(w, r); err != nil {
		_ = w.Close()
		return err
	}
	return w.Close()
}
