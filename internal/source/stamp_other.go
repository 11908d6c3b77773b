//go:build !linux

package source

import "io/fs"

// stamp tells whether a file is still the one that was seen, as far as the time of its last change can tell.
type stamp struct {
	mtime, ctime int64 // nanoseconds since 1970; ctime stays 0
	inode        uint64
}

func stampOf(info fs.FileInfo) stamp { return stamp{mtime: info.ModTime().UnixNano()} }
