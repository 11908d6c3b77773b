package bucket

import (
	"context"
	"io/fs"
	"strings"
	"time"
)

// Sweep removes files that nobody names and that are older than age.
func (s *Store) Sweep(ctx context.Context, age time.Duration) { s.sweep(ctx, age) }

// Write stores bytes that no object names.
func (s *Store) Write(text string) (file string, err error) {
	b, end, err := s.write(context.Background(), "", strings.NewReader(text))
	end()
	return b.file, err
}

// Files are the files that there are.
func (s *Store) Files() ([]string, error) { return fs.Glob(s.files.FS(), "*/*") }
