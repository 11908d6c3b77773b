package source

import (
	"io/fs"
	"syscall"
)

// stamp tells whether a file is still the one that was seen: any write changes it, unless it comes within a clock tick.
type stamp struct {
	mtime, ctime int64 // nanoseconds since 1970
	inode        uint64
}

func stampOf(info fs.FileInfo) stamp {
	s := stamp{mtime: info.ModTime().UnixNano()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		s.ctime, s.inode = st.Ctim.Nano(), st.Ino
	}
	return s
}
