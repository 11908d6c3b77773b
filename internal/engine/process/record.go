package process

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/aloft-run/aloft/internal/engine/procfs"
)

// record is the file that tells the next server which processes are ours, should this one be killed. Its name is the
// sandbox's token; it is there before the process is, so that none is missed.
type record struct {
	token string
	path  string // "" if no records are kept
}

func newRecord(dir, token string) (record, error) {
	r := record{token: token}
	if dir == "" {
		return r, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return r, fmt.Errorf("make run directory: %w", err)
	}
	r.path = filepath.Join(dir, token)
	return r, r.write(0, 0)
}

func (r record) write(pid int, born uint64) error {
	if r.path == "" {
		return nil
	}
	text := fmt.Sprintf("%d %d %s\n", pid, born, procfs.BootID())
	if err := os.WriteFile(r.path, []byte(text), 0o600); err != nil {
		return fmt.Errorf("record process: %w", err)
	}
	return nil
}

func (r record) remove() {
	if r.path != "" {
		_ = os.Remove(r.path) // a record without a process is harmless
	}
}
