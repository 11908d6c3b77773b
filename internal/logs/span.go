package logs

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"slices"
	"sort"
	"time"

	"github.com/aloft-run/aloft"
)

// span is where the lines from first up to next are: in a file, in data, or nowhere.
type span struct {
	first, next uint64
	maxTime     int64
	path        string // "" if not in a file
	off, size   int64
	data        []byte // nil if not in memory; nobody else has it
}

// bounds returns the number of the oldest line and of the next one to come.
func (st *stage) bounds() (oldest, next uint64, err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if err := st.load(); err != nil {
		return 0, 0, err
	}
	switch {
	case len(st.segments) > 0:
		oldest = st.segments[0].first
	case len(st.pending) > 0:
		oldest = st.pending[0].first
	default:
		oldest = st.next - uint64(st.enc.count)
	}
	return oldest, st.next, nil
}

// locate finds a line. Files are indexed outside the lock, so that Append goes on.
func (r *reader) locate(number uint64) (span, error) {
	for {
		r.st.mu.Lock()
		at, missing := r.st.find(number)
		path := ""
		if missing != nil {
			path = missing.path
		}
		r.st.mu.Unlock()
		if missing == nil {
			return at, nil
		}
		found, err := index(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return span{}, aloft.Errorf(aloft.Internal, "read log: %w", err)
		}
		r.st.mu.Lock()
		if missing.path == path { // not compressed in the meantime
			missing.indexed = true
			if err == nil {
				missing.chunks = found.chunks
			}
		}
		r.st.mu.Unlock()
	}
}

// find returns the place of a line, or the segment that must be indexed first. The caller holds mu.
func (st *stage) find(number uint64) (span, *segment) {
	i := sort.Search(len(st.segments), func(i int) bool { return st.segments[i].next > number })
	if i == len(st.segments) {
		return st.findBuffered(number), nil
	}
	seg := st.segments[i]
	gap := span{next: seg.first}
	if i > 0 {
		gap.first = st.segments[i-1].next
	}
	if number < seg.first {
		return gap, nil
	}
	if !seg.indexed {
		return span{}, seg
	}
	j := sort.Search(len(seg.chunks), func(j int) bool { return seg.chunks[j].next > number })
	gap = span{first: seg.first, next: seg.next}
	if j > 0 {
		gap.first = seg.chunks[j-1].next
	}
	if j == len(seg.chunks) {
		return gap, nil
	}
	c := seg.chunks[j]
	if number < c.first {
		gap.next = c.first
		return gap, nil
	}
	return span{first: c.first, next: c.next, maxTime: c.maxTime, path: seg.path, off: c.off, size: c.size}, nil
}

// findBuffered looks for a line that is in no file yet.
func (st *stage) findBuffered(number uint64) span {
	gap := span{next: st.next}
	if n := len(st.segments); n > 0 {
		gap.first = st.segments[n-1].next
	}
	buffered := st.pending
	if st.enc.count > 0 {
		buffered = append(slices.Clip(buffered), st.encoded(st.enc.buf))
	}
	for _, b := range buffered {
		next := b.first + uint64(b.count)
		if number < b.first {
			gap.next = b.first
			return gap
		}
		if number < next {
			return span{first: b.first, next: next, maxTime: b.maxTime, data: bytes.Clone(b.data)}
		}
		gap.first = next
	}
	return gap
}

// wait returns when there are lines after number, more false if there never will be.
func (st *stage) wait(ctx context.Context, number uint64) (next uint64, more bool, err error) {
	pause := time.NewTimer(breath)
	defer pause.Stop()
	select {
	case <-ctx.Done():
		return 0, false, ctx.Err()
	case <-pause.C:
	}
	for {
		st.mu.Lock()
		next, ended := st.next, st.ended
		if next > number || ended {
			st.mu.Unlock()
			return next, !ended, nil
		}
		if st.wake == nil {
			st.wake = make(chan struct{})
		}
		wake := st.wake
		st.mu.Unlock()
		select {
		case <-ctx.Done():
			return 0, false, ctx.Err()
		case <-wake:
		}
	}
}
