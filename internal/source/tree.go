package source

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/aloft-run/aloft"
)

// Entry is a file or a symbolic link of a tree.
type Entry struct {
	Path   string      // relative to the tree, slash-separated, valid UTF-8
	Mode   fs.FileMode // 0644, 0755, or fs.ModeSymlink|0777
	Size   int64       // bytes; 0 for a link
	Digest [32]byte    // SHA-256 of the content; zero for a link
	Link   string      // where a link leads, as written; "" for a file

	stamp stamp
	fresh bool // changed just before the scan, so that the stamp alone cannot tell of a later change
}

// Tree is what a directory held when it was scanned. It is safe for use by several goroutines.
type Tree struct {
	root    *os.Root
	dirs    *dirCache
	entries []Entry
	digest  string
	view    func() *view
}

func newTree(root *os.Root, entries []Entry) *Tree {
	t := &Tree{root: root, dirs: newDirCache(root), entries: entries, digest: digestOf(entries)}
	t.view = sync.OnceValue(func() *view { return newView(t) })
	return t
}

// Entries lists the files and links by path. Directories are not listed, so empty ones are not part of a tree. The caller
// must not change the list.
func (t *Tree) Entries() []Entry { return t.entries }

// Digest names the tree: lower-case hex of a SHA-256 over all paths, modes, links and contents. Equal trees have equal
// digests on any machine.
func (t *Tree) Digest() string { return t.digest }

// Close frees the directory handle. A tree that is dropped without Close frees it when it is collected.
func (t *Tree) Close() error {
	t.dirs.close()
	if err := t.root.Close(); err != nil {
		return fmt.Errorf("close source: %w", err)
	}
	return nil
}

func digestOf(entries []Entry) string {
	h := sha256.New()
	var line []byte
	for i := range entries {
		e := &entries[i]
		// Each part is preceded by its length, so that no two trees give the same bytes.
		line = binary.BigEndian.AppendUint32(line[:0], uint32(len(e.Path)))
		line = append(line, e.Path...)
		line = binary.BigEndian.AppendUint32(line, uint32(e.Mode))
		line = binary.BigEndian.AppendUint32(line, uint32(len(e.Link)))
		line = append(line, e.Link...)
		line = append(line, e.Digest[:]...)
		h.Write(line)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Largest lists the n largest directories of the two upper levels with the bytes below each, largest first.
func (t *Tree) Largest(n int) []aloft.PathSize {
	sizes := map[string]int64{}
	for i := range t.entries {
		path, size := t.entries[i].Path, t.entries[i].Size
		first, rest, deep := strings.Cut(path, "/")
		if !deep {
			sizes["."] += size
			continue
		}
		sizes[first] += size
		if second, _, deeper := strings.Cut(rest, "/"); deeper {
			sizes[first+"/"+second] += size
		}
	}
	list := make([]aloft.PathSize, 0, len(sizes))
	for path, size := range sizes {
		list = append(list, aloft.PathSize{Path: path, Size: size})
	}
	slices.SortFunc(list, func(a, b aloft.PathSize) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), strings.Compare(a.Path, b.Path))
	})
	return list[:min(n, len(list))]
}

// Open opens a file of the tree for reading. Reading it to its end, and Open itself, return an Invalid error that names it
// if it is not what it was when it was scanned.
func (t *Tree) Open(e Entry) (io.ReadCloser, error) {
	if e.Link != "" {
		return nil, fmt.Errorf("open %q: it is a link", e.Path)
	}
	f, err := t.open(&e)
	if err != nil {
		return nil, err
	}
	v := &verified{file: f, entry: e}
	if e.fresh {
		v.hash = sha256.New()
	}
	return v, nil
}

func (t *Tree) open(e *Entry) (*os.File, error) {
	dir, err := t.dirs.get(path.Dir(e.Path))
	if err != nil {
		return nil, unreadable(e.Path, err)
	}
	defer dir.release()
	f, err := dir.root.Open(path.Base(e.Path))
	if err != nil {
		return nil, unreadable(e.Path, err)
	}
	if err := checkStamp(f, e); err != nil {
		_ = f.Close() // read-only
		return nil, err
	}
	return f, nil
}

// verified reads a file and checks at its end that it is the one that was scanned.
type verified struct {
	file  *os.File
	entry Entry
	hash  hash.Hash // nil if the stamp is enough
	n     int64
}

var _ io.ReadCloser = (*verified)(nil)

// Read reads. Instead of io.EOF it returns an error if the file changed.
func (v *verified) Read(p []byte) (int, error) {
	n, err := v.file.Read(p)
	if v.hash != nil {
		v.hash.Write(p[:n])
	}
	v.n += int64(n)
	switch {
	case v.n > v.entry.Size:
		return n, changed(v.entry.Path)
	case err == io.EOF:
		return n, v.check()
	case err != nil:
		return n, unreadable(v.entry.Path, err)
	}
	return n, nil
}

func (v *verified) check() error {
	if v.n != v.entry.Size || v.hash != nil && [32]byte(v.hash.Sum(nil)) != v.entry.Digest {
		return changed(v.entry.Path)
	}
	if err := checkStamp(v.file, &v.entry); err != nil {
		return err
	}
	return io.EOF
}

// Close closes the file.
func (v *verified) Close() error { return v.file.Close() }
