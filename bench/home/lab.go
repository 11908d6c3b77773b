package home

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// Lab is where benchmarks of the real aloft find it and put what they make.
type Lab struct {
	Aloft string // the program to measure
	Dir   string // where apps, logs and homes lie
}

// Flags defines the flags of a Lab.
func (l *Lab) Flags() {
	flag.StringVar(&l.Aloft, "aloft", "../bin/aloft", "the aloft to measure")
	flag.StringVar(&l.Dir, "dir", "", "directory for what is made (default: the system's for temporary files)")
}

// Open makes a directory of its own in the place of Dir, which free removes.
func (l *Lab) Open() (free func(), err error) {
	if l.Aloft, err = filepath.Abs(l.Aloft); err != nil {
		return nil, err
	}
	if _, err := os.Stat(l.Aloft); err != nil {
		return nil, fmt.Errorf("%w (make build)", err)
	}
	if l.Dir, err = os.MkdirTemp(l.Dir, "aloft-bench-"); err != nil {
		return nil, err
	}
	return func() { _ = os.RemoveAll(l.Dir) }, nil
}

// Serve starts a server with a home of its own. The caller removes it.
func (l *Lab) Serve(ctx context.Context) (*Server, error) {
	s, err := l.New()
	if err != nil {
		return nil, err
	}
	return s, s.Start(ctx)
}
