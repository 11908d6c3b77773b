package logs

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/aloft-run/aloft"
)

// Failing makes every write of s end with err, after half of the bytes, while on is true.
func Failing(s *Store, on *atomic.Bool, err error) {
	open := s.create
	s.create = func(name string, flag int) (file, error) {
		f, openErr := open(name, flag)
		if openErr != nil {
			return nil, openErr
		}
		return &failingFile{file: f, on: on, err: err}, nil
	}
}

type failingFile struct {
	file
	on  *atomic.Bool
	err error
}

func (f *failingFile) Write(b []byte) (int, error) {
	if !f.on.Load() {
		return f.file.Write(b)
	}
	n, err := f.file.Write(b[:len(b)/2])
	return n, errors.Join(err, f.err)
}

// Decode is the decoder of files, for the fuzz test.
func Decode(s *Store, data []byte) (lines int, err error) {
	zip, err := s.decoder()
	if err != nil {
		return 0, err
	}
	err = decodeBlocks(data, filter{}, &unzipper{zip: zip}, func(uint64, aloft.LogLine) bool { lines++; return true })
	return lines, err
}

// Compress waits until all full segments are compressed, by doing it.
func Compress(s *Store) error {
	for _, j := range s.work.takeFull() {
		if err := j.compress(); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// CompressFile compresses a segment's file into another.
func CompressFile(path, target string) error {
	s, err := index(path)
	if err != nil {
		return err
	}
	_, err = s.compressTo(target)
	return err
}

// Flush writes everything that waits, as far as the disk takes it.
func Flush(s *Store) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, st := range s.stages {
		_ = st.flush()
	}
}

// Unwritten reports whether a line waits to be written.
func Unwritten(s *Store) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, st := range s.stages {
		st.mu.Lock()
		waits := st.enc.count > 0 || len(st.pending) > 0
		st.mu.Unlock()
		if waits {
			return true
		}
	}
	return false
}

// Encode returns n lines as a block and as a compressed block.
func Encode(line func(i int) aloft.LogLine, n int) (plain, zipped []byte, err error) {
	var e encoder
	e.reset(nil)
	for i := range n {
		l := line(i)
		e.add(&l)
	}
	header{count: e.count, maxTime: e.maxTime}.seal(e.buf)
	zip, err := newZip()
	if err != nil {
		return nil, nil, err
	}
	zipped, _ = chunk{next: uint64(n), maxTime: e.maxTime}.zipped(zip, e.buf, nil)
	return e.buf, zipped, nil
}

// Wrap makes a block of records.
func Wrap(records []byte, count uint32) []byte {
	b := append(make([]byte, headerSize), records...)
	header{count: count}.seal(b)
	return b
}

// Dropped counts the lines dropped since the last note about it.
func Dropped(s *Store) (n uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, st := range s.stages {
		st.mu.Lock()
		n += st.dropped
		st.mu.Unlock()
	}
	return n
}

// Plain counts the segments that are not compressed.
func Plain(s *Store) (n int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, st := range s.stages {
		st.mu.Lock()
		for _, seg := range st.segments {
			if filepath.Ext(seg.path) == plainExt {
				n++
			}
		}
		st.mu.Unlock()
	}
	return n
}
