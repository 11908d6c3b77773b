package logs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aloft-run/aloft"
)

const (
	plainExt = ".log"
	zipExt   = ".zst"
	tempExt  = ".tmp"

	chunkBytes = 128 << 10 // what is read, and compressed, at once
)

// segment is a file. Its lines are those from first up to next, without next.
type segment struct {
	path        string
	first, next uint64
	size        int64 // of its whole blocks
	chunks      []chunk
	indexed     bool // chunks is filled
	sealed      bool // never written again
}

// chunk is a run of whole blocks.
type chunk struct {
	off, size   int64
	first, next uint64
	maxTime     int64
}

// add notes a block at the end of the segment.
func (s *segment) add(h header, size int) {
	next := h.first + uint64(h.count)
	if n := len(s.chunks); n > 0 && s.chunks[n-1].size < chunkBytes && h.flags != compressed && s.chunks[n-1].next == h.first {
		last := &s.chunks[n-1]
		last.size += int64(size)
		last.next = next
		last.maxTime = max(last.maxTime, h.maxTime)
	} else {
		s.chunks = append(s.chunks, chunk{s.size, int64(size), h.first, next, h.maxTime})
	}
	s.size += int64(size)
	s.next = next
}

// index reads the chunks of a file from its headers, up to the first that is none. In a segment that was not compressed,
// whose end may be torn, the payloads are compared with their checksums too.
func index(path string) (*segment, error) {
	s := &segment{path: path, indexed: true}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(path, plainExt) {
		return s, s.addBlocks(bufio.NewReaderSize(file, chunkBytes), info.Size())
	}
	head := make([]byte, headerSize)
	for {
		if _, err := file.ReadAt(head, s.size); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		h, ok := parseHeader(head)
		if !ok || s.size+headerSize+int64(h.size) > info.Size() {
			return s, nil
		}
		s.add(h, headerSize+h.size)
		clear(head)
	}
}

// addBlocks notes the blocks that come from a file of so many bytes, up to the first that is damaged. It holds one of them at
// a time: most are small, and a segment is not.
func (s *segment) addBlocks(from io.Reader, left int64) error {
	var block []byte
	for left >= headerSize {
		block = slices.Grow(block[:0], headerSize)[:headerSize]
		if _, err := io.ReadFull(from, block); err != nil {
			return err
		}
		h, ok := parseHeader(block)
		if left -= headerSize + int64(h.size); !ok || left < 0 {
			return nil
		}
		block = slices.Grow(block, h.size)[:headerSize+h.size]
		if _, err := io.ReadFull(from, block[headerSize:]); err != nil {
			return err
		}
		if _, _, _, err := nextBlock(block, true); err != nil {
			return nil //nolint:nilerr // what follows is lost, which is no failure to read
		}
		s.add(h, len(block))
	}
	return nil
}

// load finds the segments of an earlier run, once. The caller holds mu.
func (st *stage) load() error {
	if st.ended {
		return aloft.Errorf(aloft.Unavailable, "the log is closed")
	}
	if st.loaded {
		return nil
	}
	segments, err := list(st.dir)
	if err != nil {
		return aloft.Errorf(aloft.Internal, "open log: %w", err)
	}
	if len(segments) > 0 {
		last := segments[len(segments)-1]
		found, err := index(last.path)
		if err != nil {
			return aloft.Errorf(aloft.Internal, "open log: %w", err)
		}
		torn := found.size < last.size
		found.first, found.next, found.sealed = last.first, max(found.next, last.first), last.sealed
		if torn && !last.sealed && os.Truncate(last.path, found.size) != nil {
			found.sealed = true
		}
		if found.sealed {
			found.next = max(found.next, last.first+1) // two segments never have the same name
		}
		segments[len(segments)-1] = found
		st.next = found.next
	}
	for i, seg := range segments[:max(0, len(segments)-1)] {
		seg.next, seg.sealed = segments[i+1].first, true
		if strings.HasSuffix(seg.path, plainExt) {
			st.store.work.compress(job{st, seg})
		}
	}
	st.segments, st.loaded = segments, true
	return nil
}

// list names the segments in a directory, oldest first, and removes what a kill left half done.
func list(dir string) ([]*segment, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var segments []*segment
	for _, entry := range entries { // sorted: X.log comes before X.zst
		name, path := entry.Name(), filepath.Join(dir, entry.Name())
		ext := filepath.Ext(name)
		first, err := strconv.ParseUint(strings.TrimSuffix(name, ext), 16, 64)
		info, infoErr := entry.Info()
		switch {
		case ext == tempExt:
			_ = os.Remove(path)
			continue
		case err != nil || infoErr != nil || !info.Mode().IsRegular() || ext != plainExt && ext != zipExt || name != fmt.Sprintf("%016x%s", first, ext):
			continue // not ours
		}
		if n := len(segments); n > 0 && segments[n-1].first == first { // killed between the rename and the removal
			_ = os.Remove(segments[n-1].path)
			segments = segments[:n-1]
		}
		segments = append(segments, &segment{path: path, first: first, size: info.Size(), sealed: ext == zipExt})
	}
	return segments, nil
}

// dropOldest removes segments until the rest is within the limit. The caller holds mu. A reader that has a file open reads
// it to its end.
func (st *stage) dropOldest() {
	var total int64
	for _, seg := range st.segments {
		total += seg.size
	}
	for len(st.segments) > 1 && total > st.store.options.MaxBytes {
		total -= st.segments[0].size
		_ = os.Remove(st.segments[0].path) // if that fails the next start tries again
		st.segments = slices.Delete(st.segments, 0, 1)
	}
}
