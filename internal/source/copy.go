package source

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/aloft-run/aloft"
)

// Copy makes dst, which must not exist, and copies the tree into it. Files keep their times, so that build tools see what
// changed; where the file system can share blocks, it does. It returns an Invalid error that names a file that changed
// since the scan. After an error dst does not exist.
func (t *Tree) Copy(ctx context.Context, dst string) error {
	if err := os.Mkdir(dst, 0o755); err != nil {
		return cannotWrite("the source", err)
	}
	err := t.copyInto(ctx, dst)
	if err != nil {
		_ = os.RemoveAll(dst) // the first error is the one to tell
	}
	return err
}

func (t *Tree) copyInto(ctx context.Context, dst string) error {
	root, err := os.OpenRoot(dst)
	if err != nil {
		return cannotWrite("the source", err)
	}
	defer root.Close()
	c := copier{tree: t, to: newDirCache(root)}
	defer c.to.close()
	for _, dir := range parents(t.entries) {
		if err := root.Mkdir(dir, 0o755); err != nil {
			return cannotWrite("the source", err)
		}
	}
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(max(2, runtime.GOMAXPROCS(0)))
	for i := 0; i < len(t.entries) && working.Err() == nil; i++ {
		group.Go(func() error { return c.copy(&t.entries[i]) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("copy the source: %w", err)
	}
	return nil
}

// parents lists the directories that hold entries, parents before children.
func parents(entries []Entry) []string {
	var dirs []string
	seen := map[string]bool{".": true}
	var add func(dir string)
	add = func(dir string) {
		if !seen[dir] {
			seen[dir] = true
			add(path.Dir(dir))
			dirs = append(dirs, dir)
		}
	}
	for i := range entries {
		add(path.Dir(entries[i].Path))
	}
	return dirs
}

type copier struct {
	tree *Tree
	to   *dirCache
}

func (c *copier) copy(e *Entry) error {
	dir, err := c.to.get(path.Dir(e.Path))
	if err != nil {
		return cannotWrite(strconv.Quote(e.Path), err)
	}
	defer dir.release()
	if e.Link != "" {
		if err := dir.root.Symlink(e.Link, path.Base(e.Path)); err != nil {
			return cannotWrite(strconv.Quote(e.Path), err)
		}
		return nil
	}
	from, err := c.tree.open(e)
	if err != nil {
		return err
	}
	defer from.Close()
	if err := copyFile(dir.root, from, e); err != nil {
		return err
	}
	return checkStamp(from, e)
}

func copyFile(dir *os.Root, from *os.File, e *Entry) error {
	name := path.Base(e.Path)
	to, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, e.Mode)
	if err != nil {
		return cannotWrite(strconv.Quote(e.Path), err)
	}
	defer to.Close()
	// From file to file io.Copy lets the kernel copy, which shares blocks where the file system can.
	n, err := io.Copy(to, io.LimitReader(from, e.Size))
	if err != nil {
		return cannotWrite(strconv.Quote(e.Path), err)
	}
	if n != e.Size {
		return changed(e.Path)
	}
	// The mode of a new file depends on the process's umask.
	if err := to.Chmod(e.Mode); err != nil {
		return cannotWrite(strconv.Quote(e.Path), err)
	}
	if err := to.Close(); err != nil {
		return cannotWrite(strconv.Quote(e.Path), err)
	}
	if err := dir.Chtimes(name, time.Time{}, time.Unix(0, e.stamp.mtime)); err != nil {
		return cannotWrite(strconv.Quote(e.Path), err)
	}
	return nil
}

func cannotWrite(what string, err error) error {
	return aloft.Errorf(aloft.Internal, "copy %s: %w", what, err).
		WithHint("see that the directory is writable and its disk has space, then run the same command again")
}
