// Package artifact packs a source tree into a deterministic zip, keeps such zips in a content-addressed store that
// survives power loss, and unpacks them. It does not know what an artifact is for, nor which ones are still needed.
package artifact

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/aloft-run/aloft"
)

// Archive is a packed tree in memory. It is immutable.
type Archive struct {
	artifact aloft.Artifact
	chunks   [][]byte
	records  []record // where the content of each file lies, for reuse
}

var _ io.WriterTo = (*Archive)(nil)

// Artifact returns the archive's digest, size and number of files.
func (a *Archive) Artifact() aloft.Artifact { return a.artifact }

// WriteTo writes the zip.
func (a *Archive) WriteTo(w io.Writer) (int64, error) {
	var written int64
	for _, chunk := range a.chunks {
		n, err := w.Write(chunk)
		written += int64(n)
		if err != nil {
			return written, fmt.Errorf("write archive: %w", err)
		}
	}
	return written, nil
}

const chunkSize = 1 << 20

// sink collects what is written to it in chunks, which need no copying as they grow, and hashes them on the side.
type sink struct {
	chunks [][]byte
	size   int64
	full   chan []byte
	sum    chan [sha256.Size]byte
}

func newSink() *sink {
	s := &sink{full: make(chan []byte, 16), sum: make(chan [sha256.Size]byte, 1)}
	go func() {
		h := sha256.New()
		for chunk := range s.full {
			h.Write(chunk)
		}
		s.sum <- [sha256.Size]byte(h.Sum(nil))
	}()
	return s
}

// Write never fails.
func (s *sink) Write(p []byte) (int, error) {
	n := len(p)
	s.size += int64(n)
	for len(p) > 0 {
		last := len(s.chunks) - 1
		if last < 0 || len(s.chunks[last]) == chunkSize {
			s.chunks = append(s.chunks, make([]byte, 0, chunkSize))
			last++
		}
		fit := min(len(p), chunkSize-len(s.chunks[last]))
		s.chunks[last] = append(s.chunks[last], p[:fit]...)
		p = p[fit:]
		if len(s.chunks[last]) == chunkSize {
			s.full <- s.chunks[last]
		}
	}
	return n, nil
}

// close ends the hashing and returns the digest of everything written. It must be called, also after an error.
func (s *sink) close() string {
	if last := len(s.chunks) - 1; last >= 0 && len(s.chunks[last]) < chunkSize {
		s.full <- s.chunks[last]
	}
	close(s.full)
	sum := <-s.sum
	return hex.EncodeToString(sum[:])
}
