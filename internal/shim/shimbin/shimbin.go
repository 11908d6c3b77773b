// Package shimbin has the shim as a program and as a Lambda layer. Release builds (tag release) carry it, compressed; others build
// it from the source that they were built from.
package shimbin

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/aloft-run/aloft"
)

// Arches returns the processors that there is a shim for, by Go's names.
func Arches() []string { return []string{"amd64", "arm64"} }

// Binary returns the shim for a processor, by Go's or Lambda's name, and its SHA-256 in hexadecimal. The same source gives the same bytes. It
// returns Invalid for another processor, and Failed if it has to be built and cannot be.
func Binary(ctx context.Context, arch string) (program []byte, digest string, err error) {
	if arch == aloft.X8664 {
		arch = "amd64"
	}
	if !slices.Contains(Arches(), arch) {
		return nil, "", aloft.Errorf(aloft.Invalid, "there is no shim for processor %q", arch).WithHint("Lambda has amd64 (x86_64) and arm64")
	}
	if packed := carried(arch); packed != nil {
		program, err = unpack(packed)
	} else {
		program, err = build(ctx, arch)
	}
	if err != nil {
		return nil, "", aloft.Errorf(aloft.Failed, "the shim for %s: %w", arch, err)
	}
	return program, sum(program), nil
}

// Layer returns the zip of a Lambda layer that has the shim as bootstrap at its root, so that it is /opt/bootstrap, and the zip's
// SHA-256. The errors are those of Binary.
func Layer(ctx context.Context, arch string) (archive []byte, digest string, err error) {
	program, _, err := Binary(ctx, arch)
	if err != nil {
		return nil, "", err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	h.SetMode(0o755)
	w, err := z.CreateHeader(h)
	if err == nil {
		_, err = w.Write(program)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return nil, "", aloft.Errorf(aloft.Internal, "pack the shim: %w", err)
	}
	return b.Bytes(), sum(b.Bytes()), nil
}

// Pack compresses a shim as release builds carry it.
func Pack(program []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(program)
	}
	if err == nil {
		err = z.Close()
	}
	return b.Bytes(), err
}

func unpack(packed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	return io.ReadAll(z)
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}
