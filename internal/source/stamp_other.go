//go:build !linux

package source

import "io/fs"

// stampOf returns the stamp of a file.
func stampOf(info fs.FileInfo) stamp { return stamp{mtime: info.ModTime().UnixNano()} }
