package process

import (
	"fmt"
	"os"
	"path/filepath"
)

// maxUnixPath is the longest path a socket address holds.
const maxUnixPath = 107

// shorten returns another name for a socket whose path is too long to be dialled.
func shorten(path string) (short string, release func(), err error) {
	if len(path) <= maxUnixPath {
		return path, func() {}, nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path)), func() { _ = dir.Close() }, nil
}
