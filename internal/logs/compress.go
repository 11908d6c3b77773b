package logs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// compressLoop compresses full segments until ctx ends. What it leaves is compressed after the next start.
func (s *Store) compressLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.work.filled:
		}
		for _, j := range s.work.takeFull() {
			if ctx.Err() != nil {
				return
			}
			_ = j.compress() // then it stays as it is, which is only larger
		}
	}
}

// compress replaces FIRST.log by FIRST.zst: temporary file, sync, rename, remove.
func (j job) compress() error {
	st, seg := j.stage, j.segment
	st.mu.Lock()
	path, gone := seg.path, !st.holds(seg)
	st.mu.Unlock()
	if gone {
		return nil
	}
	found, err := index(path)
	if err != nil {
		return fmt.Errorf("compress log: %w", err)
	}
	target := strings.TrimSuffix(path, plainExt) + zipExt
	result, err := found.compressTo(target + tempExt)
	if err != nil {
		return fmt.Errorf("compress log: %w", err)
	}
	result.path = target
	return st.exchange(seg, result)
}

// window is how far back the compressor looks. A frame is a chunk, which is seldom longer, so that more would find nothing; and
// a compressor keeps twice its window.
const window = 2 * chunkBytes

func newZip() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true))
}

// zipped makes one compressed block of the content of a chunk, in the place of what was in block.
func (c chunk) zipped(zip *zstd.Encoder, plain, block []byte) ([]byte, header) {
	block = zip.EncodeAll(plain, slices.Grow(block[:0], headerSize)[:headerSize])
	h := header{flags: compressed, count: uint32(c.next - c.first), first: c.first, maxTime: c.maxTime}
	h.seal(block)
	return block, h
}

// compressTo writes the chunks of a segment to a file, each as one compressed block, and returns the segment that this makes.
// It holds a chunk at a time, and nothing when it is done.
func (s *segment) compressTo(path string) (result *segment, err error) {
	zip, err := newZip()
	if err != nil {
		return nil, err
	}
	from, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = from.Close() }()
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err = errors.Join(err, to.Close()); err != nil {
			_ = os.Remove(path)
		}
	}()
	result = &segment{indexed: true}
	var plain, block []byte
	for _, c := range s.chunks {
		plain = slices.Grow(plain[:0], int(c.size))[:c.size]
		if _, err := from.ReadAt(plain, c.off); err != nil {
			return nil, err
		}
		var h header
		block, h = c.zipped(zip, plain, block)
		if _, err := to.Write(block); err != nil {
			return nil, err
		}
		result.add(h, len(block))
	}
	return result, to.Sync()
}

// exchange puts the compressed file in the place of the plain one, unless the segment went in the meantime.
func (st *stage) exchange(seg, result *segment) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.holds(seg) {
		return os.Remove(result.path + tempExt)
	}
	if err := os.Rename(result.path+tempExt, result.path); err != nil {
		return fmt.Errorf("compress log: %w", err)
	}
	old := seg.path
	seg.path, seg.size, seg.chunks, seg.indexed = result.path, result.size, result.chunks, true
	return os.Remove(old)
}

// holds reports whether the segment still belongs to the log; the caller holds mu.
func (st *stage) holds(seg *segment) bool { return !st.ended && slices.Contains(st.segments, seg) }
