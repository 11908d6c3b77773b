// Package source reads a directory of source code as a deterministic tree: which files belong to it, what they hold, and
// one digest for all of it that is the same on every machine. It honours ignore files with git's rules. It never follows
// a symbolic link and never changes the directory. It does not know what the files mean, how they are built or packaged.
package source

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"syscall"

	"github.com/aloft-run/aloft"
)

// The limits of a tree. A larger one is refused with the names of its largest directories.
const (
	MaxFiles = 200_000 // files and symbolic links
	MaxBytes = 2 << 30 // bytes of all files
	MaxPath  = 4096    // bytes of a path
)

// Options say which files of a directory belong to its tree. The zero value takes all of them, except what is never
// taken: .git, .hg, .svn, .aloft and .DS_Store, at any depth. Patterns have the form of a line of .gitignore.
type Options struct {
	// Keep names what is kept though ignore files name it. No ignore file counts inside a kept directory.
	Keep []string
	// Drop names what is left out besides. It beats Keep.
	Drop []string
	// Only, if not empty, narrows the tree to what it names and what lies below. It does not bring back ignored files.
	Only []string
	// Ignore honours .aloftignore, .upignore and .gitignore, nested ones too. Where two of them name the same path, the
	// one that comes first here decides.
	Ignore bool
	// Index is the file that remembers digests between scans, "" for none. It is a cache: it may be lost at any time.
	Index string

	MaxFiles int   // lowers the limit; 0 means MaxFiles
	MaxBytes int64 // lowers the limit; 0 means MaxBytes
}

// Scan reads dir. It returns an Invalid error that names the file and the next step for everything that keeps the
// directory from being a tree: a missing directory, an unreadable file, a link that leads outside, a socket, a name that
// is not UTF-8, a file that changes under the reader, too many files or bytes. Of several it names the first by path.
func Scan(ctx context.Context, dir string, opt Options) (*Tree, error) {
	root, err := open(dir)
	if err != nil {
		return nil, err
	}
	old := loadIndex(opt.Index)
	w := newWalker(root, opt, old)
	top, err := w.walk(ctx, max(2, runtime.GOMAXPROCS(0)))
	if err != nil {
		_ = root.Close() // read-only handle: nothing can be lost
		return nil, err
	}
	tree := newTree(root, top.flatten(make([]Entry, 0, w.files.Load())))
	if w.hashed.Load() > 0 {
		saveIndex(opt.Index, old, tree.entries, w.began)
	}
	return tree, nil
}

func open(dir string) (*os.Root, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, aloft.Errorf(aloft.Invalid, "directory %q does not exist", dir).WithHint("check the path, or name another with -C DIR")
	case err != nil:
		return nil, unreadable(dir, err)
	case !info.IsDir():
		return nil, aloft.Errorf(aloft.Invalid, "%q is not a directory", dir).WithHint("name the directory that holds the app")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, unreadable(dir, err)
	}
	return root, nil
}

// unreadable explains why a path inside the tree cannot be read.
func unreadable(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return aloft.Errorf(aloft.Invalid, "cannot read %q: %w", path, bare(err)).
			WithHint("make it readable (chmod u+r %s) or name it in .aloftignore", shellQuote(path))
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ELOOP):
		return changed(path)
	}
	if _, ok := errors.AsType[syscall.Errno](err); !ok {
		return changed(path) // os.Root refuses a directory that has become a link to elsewhere
	}
	return aloft.Errorf(aloft.Invalid, "cannot read %q: %w", path, bare(err)).WithHint("repair it or name it in .aloftignore")
}

// bare strips the operation and path, which the message around it gives already.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

func changed(path string) error {
	return aloft.Errorf(aloft.Invalid, "%q changed while it was read", path).
		WithHint("run the same command again; if a program writes this file all the time, name it in .aloftignore")
}
