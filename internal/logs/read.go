package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"os"
	"time"

	"github.com/aloft-run/aloft"
)

// breath is the shortest time between two looks of a follower, so that a busy log is read in pieces, not line by line.
const breath = 5 * time.Millisecond

// reader goes through a log. Between two steps it holds nothing of the log but a number, so that it slows nobody down.
type reader struct {
	st    *stage
	zip   unzipper
	next  uint64 // number of the next line to yield
	since int64
	last  time.Time // of the line yielded last
	file  *os.File  // read last
	buf   []byte
}

// Logs implements aloft.LogService. Where lines are missing, because the log reached its limit or its file is damaged, a
// line of the stream "aloft" says how many. A follower ends with ctx, whose error it yields, or with the log.
func (s *Store) Logs(ctx context.Context, query aloft.LogQuery) iter.Seq2[aloft.LogLine, error] {
	return func(yield func(aloft.LogLine, error) bool) {
		stopped := false
		err := s.read(ctx, query, func(line aloft.LogLine) bool {
			stopped = !yield(line, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(aloft.LogLine{}, err)
		}
	}
}

func (s *Store) read(ctx context.Context, query aloft.LogQuery, yield func(aloft.LogLine) bool) error {
	st, err := s.stage(query.Stage)
	if err != nil {
		return err
	}
	zip, err := s.decoder()
	if err != nil {
		return err
	}
	r := &reader{st: st, zip: unzipper{zip: zip}, since: math.MinInt64}
	defer r.closeFile()
	if !query.Since.IsZero() {
		r.since = nanos(query.Since)
	}
	oldest, end, err := st.bounds()
	if err == nil {
		r.next, err = r.start(query.Limit, oldest, end)
	}
	for err == nil {
		var more bool
		if more, err = r.readTo(ctx, end, yield); err != nil || !more || !query.Follow {
			return err
		}
		r.closeFile()
		end, more, err = st.wait(ctx, r.next)
		if !more {
			return err
		}
	}
	return err
}

// start returns the number of the first line to yield.
func (r *reader) start(limit int, oldest, end uint64) (uint64, error) {
	switch {
	case limit <= 0 || end-oldest <= uint64(limit):
		return oldest, nil
	case r.since == math.MinInt64:
		return end - uint64(limit), nil
	}
	for end > oldest { // times are not in order: count from the end
		var wanted []uint64
		at, err := r.visit(end-1, 0, func(number uint64, line aloft.LogLine) bool {
			if number < end && line.Time.UnixNano() >= r.since {
				wanted = append(wanted, number)
			}
			return true
		})
		if err != nil && !errors.Is(err, errDamaged) {
			return 0, err
		}
		if len(wanted) >= limit {
			return wanted[len(wanted)-limit], nil
		}
		limit -= len(wanted)
		end = at.first
	}
	return oldest, nil
}

// readTo yields the lines up to number end, without end. It returns false if yield did.
func (r *reader) readTo(ctx context.Context, end uint64, yield func(aloft.LogLine) bool) (bool, error) {
	for r.next < end {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		more := true
		at, err := r.visit(r.next, r.next, func(number uint64, line aloft.LogLine) bool {
			if number < r.next || number >= end {
				return number < end
			}
			r.next, r.last = number+1, line.Time
			more = line.Time.UnixNano() < r.since || yield(line)
			return more
		})
		upTo := min(at.next, end)
		switch {
		case !more:
			return false, nil
		case errors.Is(err, errDamaged):
			if r.next < upTo && !yield(r.gap(upTo-r.next)) {
				return false, nil
			}
		case err != nil:
			return false, err
		}
		r.next = max(r.next, upTo)
	}
	return true, nil
}

// gap is the line that stands for lines that are gone.
func (r *reader) gap(count uint64) aloft.LogLine {
	at := r.last
	if at.IsZero() {
		at = time.Now().UTC()
	}
	return aloft.LogLine{Time: at, Stream: "aloft", Text: fmt.Sprintf("%d lines are missing here: the log reached its limit, or its file is damaged", count)}
}

// visit yields the lines around a number and says which they are; errDamaged if they are lost.
func (r *reader) visit(number, from uint64, yield func(uint64, aloft.LogLine) bool) (at span, err error) {
	for range 3 { // a file may be compressed or removed between the two steps
		if at, err = r.locate(number); err != nil {
			return span{}, err
		}
		if at.path == "" && at.data == nil {
			return at, errDamaged
		}
		if err = r.decode(at, from, yield); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return at, errDamaged
	case err != nil && !errors.Is(err, errDamaged):
		return at, aloft.Errorf(aloft.Internal, "read log: %w", err)
	}
	return at, err
}

// decode yields the lines at a place, from the block with number from on.
func (r *reader) decode(at span, from uint64, yield func(uint64, aloft.LogLine) bool) error {
	f := filter{from: from, since: r.since}
	if at.maxTime < f.since {
		return nil
	}
	data := at.data
	if data == nil {
		var err error
		if data, err = r.load(at); err != nil {
			return err
		}
	}
	return decodeBlocks(data, f, &r.zip, yield)
}

// load reads a chunk. The file stays open for the next one.
func (r *reader) load(at span) ([]byte, error) {
	if r.file == nil || r.file.Name() != at.path {
		r.closeFile()
		file, err := os.Open(at.path)
		if err != nil {
			return nil, err
		}
		r.file = file
	}
	if int64(cap(r.buf)) < at.size {
		r.buf = make([]byte, at.size)
	}
	r.buf = r.buf[:at.size]
	_, err := r.file.ReadAt(r.buf, at.off)
	if errors.Is(err, io.EOF) {
		return nil, errDamaged
	}
	return r.buf, err
}

func (r *reader) closeFile() {
	if r.file != nil {
		_ = r.file.Close() // it was only read
		r.file = nil
	}
}
