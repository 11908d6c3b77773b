package logs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
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
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("compress log: %w", err)
	}
	out, err := st.store.compressed(content, found.chunks)
	if err != nil {
		return fmt.Errorf("compress log: %w", err)
	}
	target := strings.TrimSuffix(path, plainExt) + zipExt
	if err := writeSynced(target+tempExt, out); err != nil {
		return fmt.Errorf("compress log: %w", err)
	}
	result := &segment{path: target}
	for len(out) > 0 {
		h, _, rest, err := nextBlock(out, true)
		if err != nil {
			return fmt.Errorf("compress log: %w", err)
		}
		result.add(h, len(out)-len(rest))
		out = rest
	}
	return st.exchange(seg, result)
}

func writeSynced(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(path)
	}
	return err
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
