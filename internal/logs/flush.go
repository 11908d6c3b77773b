package logs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// idleClose is how long nothing is written before the files are closed.
const idleClose = 5 * time.Second

// flushLoop writes the dirty stages until ctx ends. It sleeps while there are none.
func (s *Store) flushLoop(ctx context.Context) {
	var open []*stage // with an open file, the one used last at the end
	for {
		var idle <-chan time.Time
		if len(open) > 0 {
			idle = time.After(idleClose)
		}
		select {
		case <-ctx.Done():
			return
		case <-idle:
			closeFiles(open)
			open = nil
			continue
		case <-s.work.dirtied:
		}
		select {
		case <-ctx.Done():
			return
		case <-s.work.hurried:
		case <-time.After(s.options.FlushEvery):
		}
		for _, st := range s.work.takeDirty() {
			_ = st.flush() // it is dirty again after a failure, and says how many lines were lost
			if i := slices.Index(open, st); i >= 0 {
				open = slices.Delete(open, i, i+1)
			}
			if open = append(open, st); len(open) > s.options.OpenFiles {
				closeFiles(open[:1])
				open = slices.Delete(open, 0, 1)
			}
		}
	}
}

func closeFiles(stages []*stage) {
	for _, st := range stages {
		st.io.Lock()
		st.closeFile()
		st.io.Unlock()
	}
}

// closeFile closes the segment being written; the caller holds io. It is opened again when needed.
func (st *stage) closeFile() {
	if st.file != nil {
		_ = st.file.Close() // nothing is buffered in it
		st.file = nil
	}
}

// flush writes everything that waits.
func (st *stage) flush() error {
	st.io.Lock()
	defer st.io.Unlock()
	st.mu.Lock()
	if st.ended {
		st.mu.Unlock()
		return nil
	}
	st.cut()
	batch := slices.Clone(st.pending)
	st.dirty = false
	st.mu.Unlock()
	n, err := st.writeBlocks(batch)
	st.written(n, err)
	return err
}

// writeBlocks returns how many blocks are in a segment, and why the next one is not.
func (st *stage) writeBlocks(batch []block) (n int, err error) {
	for _, b := range batch {
		seg, err := st.writable(b.first)
		if err != nil {
			return n, fmt.Errorf("write log: %w", err)
		}
		if _, err := st.file.Write(b.data); err != nil {
			st.abandon(seg)
			return n, fmt.Errorf("write log: %w", err)
		}
		st.mu.Lock()
		seg.add(b.header, len(b.data))
		st.mu.Unlock()
		n++
	}
	return n, nil
}

// abandon cuts off what a failed write left. If that fails too the segment is full: nothing may follow a torn block.
func (st *stage) abandon(seg *segment) {
	err := st.file.Truncate(seg.size)
	st.closeFile()
	if err != nil {
		st.retire(seg)
	}
}

// retire ends writing to a segment.
func (st *stage) retire(seg *segment) {
	st.closeFile()
	st.mu.Lock()
	seg.sealed = true
	st.mu.Unlock()
	st.store.work.compress(job{st, seg})
}

// writable returns the segment for the block with this first line, its file open.
func (st *stage) writable(first uint64) (*segment, error) {
	var seg *segment
	st.mu.Lock()
	if len(st.segments) > 0 && !st.segments[len(st.segments)-1].sealed {
		seg = st.segments[len(st.segments)-1]
	}
	st.mu.Unlock()
	if seg != nil && seg.size >= st.store.options.SegmentBytes {
		st.retire(seg)
		seg = nil
	}
	if seg != nil && st.file == nil {
		f, err := st.store.create(seg.path, os.O_WRONLY|os.O_APPEND)
		switch {
		case err == nil:
			st.file = f
		case errors.Is(err, fs.ErrNotExist): // somebody removed it
			st.retire(seg)
			seg = nil
		default:
			return nil, err
		}
	}
	if seg != nil {
		return seg, nil
	}
	return st.newSegment(first)
}

func (st *stage) newSegment(first uint64) (*segment, error) {
	if err := os.MkdirAll(st.dir, 0o700); err != nil {
		return nil, err
	}
	seg := &segment{path: filepath.Join(st.dir, fmt.Sprintf("%016x%s", first, plainExt)), first: first, next: first, indexed: true}
	f, err := st.store.create(seg.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return nil, err
	}
	st.file = f
	st.mu.Lock()
	defer st.mu.Unlock()
	st.segments = append(st.segments, seg)
	st.dropOldest()
	return seg, nil
}
