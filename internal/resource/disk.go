package resource

import "syscall"

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
