package resource

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	leftFree = 1 << 30 // bytes of the disk that nobody gets, unless the disk is small:
	leftPart = 20      // a twentieth of it
)

// Disk is what all who write to a disk have of it. Between two looks at what is free it adds up what is written.
type Disk struct {
	look func() (free, all int64, err error)

	mu      sync.Mutex
	at      time.Time // of the last look
	free    int64     // then, in bytes, beyond what is left free
	since   int64     // written after it
	pending int64     // to be written
}

// NewDisk returns a disk. Look says how many bytes of it are free, and how many it has; see FreeOn.
func NewDisk(look func() (free, all int64, err error)) *Disk { return &Disk{look: look} }

// take reserves n bytes, or reports that there is no room for them.
func (d *Disk) take(n int64) (ok bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	full := func() bool { return n > d.free-d.since-d.pending }
	if age := time.Since(d.at); age > lookAge || age > soonest && full() {
		free, all, err := d.look()
		if err != nil {
			return false, fmt.Errorf("look how much of the disk is free: %w", err)
		}
		d.at, d.free, d.since = time.Now(), free-min(leftFree, all/leftPart), 0
	}
	if full() {
		return false, nil
	}
	d.pending += n
	return true, nil
}

// wrote says that n bytes of what was reserved have been written, or will not be: the next look says which.
func (d *Disk) wrote(n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pending, d.since = d.pending-n, d.since+n
}

// SameDisk reports whether two directories, which exist, lie on one disk.
func SameDisk(a, b string) bool {
	var at [2]uint64
	for i, dir := range []string{a, b} {
		info, err := os.Stat(dir)
		if err != nil {
			return false
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return false
		}
		at[i] = uint64(stat.Dev) //nolint:unconvert // not everywhere of this type
	}
	return at[0] == at[1]
}

// FreeOn looks at the disk of a directory: how many bytes of it are free for the server's user, and how many it has.
func FreeOn(dir string) func() (free, all int64, err error) {
	return func() (free, all int64, err error) {
		var fs syscall.Statfs_t
		if err := syscall.Statfs(dir, &fs); err != nil {
			return 0, 0, err
		}
		size := int64(fs.Bsize) //nolint:unconvert // not everywhere of this type
		return int64(fs.Bavail) * size, int64(fs.Blocks) * size, nil
	}
}
