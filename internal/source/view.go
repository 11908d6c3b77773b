package source

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

// FS returns a read-only view of exactly the files of the tree. Links are followed as far as they lead to files of the
// tree. Reading a file that changed since the scan is an error.
func (t *Tree) FS() fs.FS { return t.view() }

type view struct {
	tree  *Tree
	files map[string]*Entry
	dirs  map[string][]fs.DirEntry // children by name
}

var (
	_ fs.ReadDirFS  = (*view)(nil)
	_ fs.StatFS     = (*view)(nil)
	_ fs.ReadLinkFS = (*view)(nil)
)

func newView(t *Tree) *view {
	v := &view{tree: t, files: make(map[string]*Entry, len(t.entries)), dirs: map[string][]fs.DirEntry{".": nil}}
	for _, dir := range parents(t.entries) {
		v.dirs[dir] = nil
		v.dirs[path.Dir(dir)] = append(v.dirs[path.Dir(dir)], fs.FileInfoToDirEntry(dirInfo(dir)))
	}
	for i := range t.entries {
		e := &t.entries[i]
		v.files[e.Path] = e
		v.dirs[path.Dir(e.Path)] = append(v.dirs[path.Dir(e.Path)], fs.FileInfoToDirEntry(fileInfo(e, path.Base(e.Path))))
	}
	for _, list := range v.dirs {
		slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	}
	return v
}

// Open opens a file or directory.
func (v *view) Open(name string) (fs.File, error) {
	real, err := v.resolve("open", name, true)
	if err != nil {
		return nil, err
	}
	if list, ok := v.dirs[real]; ok {
		return &openDir{info: dirInfo(name), rest: list}, nil
	}
	e := v.files[real]
	f, err := v.tree.Open(*e)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &openFile{ReadCloser: f, info: fileInfo(e, path.Base(name))}, nil
}

// ReadDir lists a directory.
func (v *view) ReadDir(name string) ([]fs.DirEntry, error) {
	real, err := v.resolve("readdir", name, true)
	if err != nil {
		return nil, err
	}
	list, ok := v.dirs[real]
	if !ok {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a directory")}
	}
	return slices.Clone(list), nil
}

// Stat describes what name leads to.
func (v *view) Stat(name string) (fs.FileInfo, error) { return v.stat("stat", name, true) }

// Lstat describes name itself.
func (v *view) Lstat(name string) (fs.FileInfo, error) { return v.stat("lstat", name, false) }

func (v *view) stat(op, name string, follow bool) (fs.FileInfo, error) {
	real, err := v.resolve(op, name, follow)
	if err != nil {
		return nil, err
	}
	if _, ok := v.dirs[real]; ok {
		return dirInfo(name), nil
	}
	return fileInfo(v.files[real], path.Base(name)), nil
}

// ReadLink returns where a link leads, as written.
func (v *view) ReadLink(name string) (string, error) {
	real, err := v.resolve("readlink", name, false)
	if err != nil {
		return "", err
	}
	if e := v.files[real]; e != nil && e.Link != "" {
		return e.Link, nil
	}
	return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
}

// resolve returns the path of the file or directory that name leads to. The last element is followed if asked for.
func (v *view) resolve(op, name string, follow bool) (string, error) {
	fail := func(err error) (string, error) { return "", &fs.PathError{Op: op, Path: name, Err: err} }
	if !fs.ValidPath(name) {
		return fail(fs.ErrInvalid)
	}
	at, rest, hops := ".", strings.Split(name, "/"), 0
	for len(rest) > 0 {
		if _, ok := v.dirs[at]; !ok {
			return fail(fs.ErrNotExist)
		}
		next := path.Join(at, rest[0])
		rest = rest[1:]
		if e := v.files[next]; e != nil && e.Link != "" && (follow || len(rest) > 0) {
			if hops++; hops > 40 {
				return fail(syscall.ELOOP)
			}
			rest = append(strings.Split(e.Link, "/"), rest...)
			continue
		}
		at = next
	}
	if _, ok := v.dirs[at]; !ok && v.files[at] == nil {
		return fail(fs.ErrNotExist)
	}
	return at, nil
}

// info describes a file or directory of a view.
type info struct {
	name string
	size int64
	mode fs.FileMode
	time time.Time
}

var _ fs.FileInfo = info{}

func dirInfo(dir string) info { return info{name: path.Base(dir), mode: fs.ModeDir | 0o755} }

func fileInfo(e *Entry, name string) info {
	return info{name: name, size: e.Size, mode: e.Mode, time: time.Unix(0, e.stamp.mtime)}
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return i.time }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }

type openFile struct {
	io.ReadCloser
	info info
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }

type openDir struct {
	info info
	rest []fs.DirEntry
}

var _ fs.ReadDirFile = (*openDir)(nil)

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.name, Err: errors.New("is a directory")}
}

// ReadDir returns the next n entries, all that are left if n is not positive.
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n > 0 && len(d.rest) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(d.rest) {
		n = len(d.rest)
	}
	list := slices.Clone(d.rest[:n])
	d.rest = d.rest[n:]
	return list, nil
}
