// Package logs keeps what apps print: one append-only log per stage, in segment files.
//
// Append only copies a line to memory, where Logs finds it at once; a goroutine writes what was collected within about
// 100 ms. A kill loses at most that; a torn end is cut off at the next start. When a segment is full it is compressed and
// the oldest segments go, so that a stage never takes more than its share of the disk. When the disk takes nothing, lines
// are dropped and counted, and the log says how many once it works again: no app ever waits for its log.
//
// # Files
//
// DIR/APP/STAGE/FIRST.log is the segment being written, FIRST.zst one that is full; FIRST is the number of its first line in
// hexadecimal. Lines count from 0 for each stage, so a reader knows what it has seen. A segment is a sequence of blocks (see
// header), a block a sequence of records (see encoder). In FIRST.zst each block holds a zstd frame of some blocks of the
// former FIRST.log. Text is kept byte for byte, times in nanoseconds.
package logs

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/aloft-run/aloft"
)

// Options of a Store. A zero field means its default.
type Options struct {
	SegmentBytes int64         // a segment is full at this size, uncompressed; 16 MB
	MaxBytes     int64         // a stage's files together, before the oldest segment goes; 256 MB, at least two segments
	FlushEvery   time.Duration // lines reach the file after so long at most; 100 ms
	OpenFiles    int           // files kept open for writing; 64
}

func (o Options) withDefaults() Options {
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = 16 << 20
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 256 << 20
	}
	o.MaxBytes = max(o.MaxBytes, 2*o.SegmentBytes)
	if o.FlushEvery <= 0 {
		o.FlushEvery = 100 * time.Millisecond
	}
	if o.OpenFiles <= 0 {
		o.OpenFiles = 64
	}
	return o
}

// Store keeps the logs below a directory. It is safe for concurrent use; one process may use a directory at a time.
type Store struct {
	dir     string
	options Options
	create  func(name string, flag int) (file, error) // opens a segment for writing; a test makes it fail

	mu     sync.RWMutex
	stages map[aloft.StageRef]*stage
	closed bool

	work     queue // what the background goroutines do next
	stop     context.CancelFunc
	done     sync.WaitGroup
	buffers  sync.Pool    // of *[]byte for blocks
	buffered atomic.Int64 // bytes of all stages that wait to be written
	decoder  func() (*zstd.Decoder, error)
}

// file is what the flusher needs of *os.File.
type file interface {
	Write(b []byte) (int, error)
	Truncate(size int64) error
	Close() error
}

var _ aloft.LogService = (*Store)(nil)

// Open opens the logs below dir and makes the directory if there is none. Logs of stages are opened when they are used.
func Open(dir string, options Options) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, aloft.Errorf(aloft.Internal, "open logs: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background()) // ends with Close
	s := &Store{
		dir: dir, options: options.withDefaults(), stages: map[aloft.StageRef]*stage{}, stop: cancel, work: makeQueue(),
		create: func(name string, flag int) (file, error) { return os.OpenFile(name, flag, 0o600) },
		decoder: sync.OnceValues(func() (*zstd.Decoder, error) {
			return zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxBlock))
		}),
	}
	s.buffers.New = func() any { b := make([]byte, 0, blockBytes+4<<10); return &b }
	s.done.Go(func() { s.flushLoop(ctx) })
	s.done.Go(func() { s.compressLoop(ctx) })
	return s, nil
}

// Append adds a line to the stage's log. A line without time gets the present one; text beyond 16 MB is cut. After Close,
// and for a name that no stage can have, it does nothing.
func (s *Store) Append(ref aloft.StageRef, line aloft.LogLine) {
	st, err := s.stage(ref)
	if err != nil {
		return // the caller has nothing better to do with a line
	}
	if line.Time.IsZero() {
		line.Time = time.Now()
	}
	st.append(&line)
}

// stage returns the stage's log. Its files are looked at when it is used.
func (s *Store) stage(ref aloft.StageRef) (*stage, error) {
	s.mu.RLock()
	st := s.stages[ref]
	s.mu.RUnlock()
	if st != nil {
		return st, nil
	}
	if err := ref.Check(); err != nil { // names become paths
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, aloft.Errorf(aloft.Unavailable, "the logs are closed")
	}
	if st = s.stages[ref]; st != nil {
		return st, nil
	}
	st = &stage{store: s, dir: filepath.Join(s.dir, ref.App, ref.Stage)}
	s.stages[ref] = st
	return st, nil
}

// Delete removes the stage's log. Its followers end. Deleting what is not there is harmless.
func (s *Store) Delete(ref aloft.StageRef) error {
	if err := ref.Check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.stages[ref]; st != nil {
		st.end()
		delete(s.stages, ref)
	}
	if err := os.RemoveAll(filepath.Join(s.dir, ref.App, ref.Stage)); err != nil {
		return aloft.Errorf(aloft.Internal, "delete log of %s: %w", ref, err)
	}
	_ = os.Remove(filepath.Join(s.dir, ref.App)) // fails while another stage has a log
	return nil
}

// Close writes what is buffered and ends everything, followers included.
func (s *Store) Close() error {
	s.mu.Lock()
	wasClosed := s.closed
	s.closed = true
	s.mu.Unlock()
	if wasClosed {
		return nil
	}
	s.stop()
	s.done.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	var lost uint64
	for _, st := range s.stages {
		_ = st.flush() // what cannot be written is counted
		_ = st.flush() // the line about dropped ones, if the first made one
		lost += st.end()
	}
	clear(s.stages)
	if lost > 0 {
		return aloft.Errorf(aloft.Internal, "close logs: %d lines could not be written to %s", lost, s.dir)
	}
	return nil
}
