package artifact

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Collect removes the artifacts that keep does not name and that were stored longer than grace ago, and what killed
// processes left behind. It returns how many artifacts it removed and their bytes.
func (s *Store) Collect(ctx context.Context, keep map[string]bool, grace time.Duration) (removed int, bytes int64, err error) {
	s.collecting.Lock()
	defer s.collecting.Unlock()
	before := time.Now().Add(-grace)
	shards, err := os.ReadDir(s.dir)
	if err != nil {
		return 0, 0, machine("collect artifacts", err)
	}
	for _, shard := range shards {
		if err := ctx.Err(); err != nil {
			return removed, bytes, fmt.Errorf("collect artifacts: %w", err)
		}
		n, size, err := s.collectIn(filepath.Join(s.dir, shard.Name()), keep, before)
		removed, bytes = removed+n, bytes+size
		if err != nil {
			return removed, bytes, machine("collect artifacts", err)
		}
	}
	return removed, bytes, nil
}

// collectIn removes what nobody needs from a directory: tmp, or one of artifacts.
func (s *Store) collectIn(dir string, keep map[string]bool, before time.Time) (removed int, bytes int64, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return 0, 0, err
	}
	for _, file := range files {
		digest := strings.TrimSuffix(file.Name(), recordsSuffix)
		leftover := dir == s.tmp()
		if !leftover && (keep[digest] || !validDigest(digest)) {
			continue
		}
		info, err := file.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.ModTime().After(before) {
			continue
		}
		if err == nil {
			err = os.Remove(filepath.Join(dir, file.Name()))
		}
		if err != nil {
			return removed, bytes, err
		}
		if !leftover && digest == file.Name() {
			removed, bytes = removed+1, bytes+info.Size()
		}
	}
	return removed, bytes, nil
}
