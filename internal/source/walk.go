package source

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/aloft-run/aloft"
)

// walker reads a directory in parallel: one job per directory, and one per batch of files to hash.
type walker struct {
	root   *os.Root
	filter filter
	index  *index
	limits limits
	jobs   *queue
	began  int64 // nanoseconds since 1970

	files  atomic.Int64
	bytes  atomic.Int64
	hashed atomic.Int64 // how many files the index did not know

	mu      sync.Mutex
	err     error  // the error of the first path in order, so that it does not depend on timing
	errPath string // its path
}

type limits struct{ files, bytes int64 }

// node is a directory that was read.
type node struct {
	path  string // "" at the top, else with a slash at the end
	items []item
	dir   *handle
}

// item is a child of a node: a file or link, or a directory.
type item struct {
	name  string // a directory's ends with a slash, so that the order of names is the order of paths
	entry Entry
	node  *node
}

func newWalker(root *os.Root, opt Options, old *index) *walker {
	w := &walker{root: root, filter: newFilter(opt), index: old, limits: limits{MaxFiles, MaxBytes}, began: time.Now().UnixNano()}
	if opt.MaxFiles > 0 {
		w.limits.files = min(w.limits.files, int64(opt.MaxFiles))
	}
	if opt.MaxBytes > 0 {
		w.limits.bytes = min(w.limits.bytes, opt.MaxBytes)
	}
	return w
}

func (w *walker) walk(ctx context.Context, workers int) (*node, error) {
	top := &node{dir: newHandle(w.root, true)}
	w.jobs = newQueue(ctx)
	w.jobs.push(func() { w.read(top, w.filter.top()) })
	w.jobs.run(workers)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read the source: %w", err)
	}
	if w.over(1) {
		return nil, w.tooLarge(top)
	}
	return top, w.err
}

// fail records an error. The walk goes on without hashing, so that the error of the first path is found.
func (w *walker) fail(path string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil || path < w.errPath {
		w.err, w.errPath = err, path
	}
}

// failedBefore reports whether a path before this one has an error already.
func (w *walker) failedBefore(path string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err != nil && w.errPath < path
}

// over reports whether the tree is more than factor times the limits.
func (w *walker) over(factor int64) bool {
	return w.files.Load() > factor*w.limits.files || w.bytes.Load() > factor*w.limits.bytes
}

func (w *walker) tooLarge(top *node) error {
	tree := Tree{entries: top.flatten(nil)}
	var detail strings.Builder
	for _, d := range tree.Largest(5) {
		fmt.Fprintf(&detail, "%8.1f MB  %s\n", float64(d.Size)/1e6, d.Path)
	}
	return aloft.Errorf(aloft.Invalid, "the app is too large: more than %d files or %.1f MB", w.limits.files, float64(w.limits.bytes)/1e6).
		WithHint("name what it does not need in .aloftignore").WithDetail(detail.String())
}

// read reads one directory, queues its subdirectories, and hashes its files.
func (w *walker) read(n *node, in scope) {
	defer n.dir.release()
	// Far over the limit there is nothing more to learn for the error.
	if w.over(10) {
		return
	}
	names, err := n.dir.names()
	if err != nil {
		w.fail(n.path, unreadable(cmp.Or(strings.TrimSuffix(n.path, "/"), "."), err))
		return
	}
	if w.filter.ignore && !in.kept && !in.ignored {
		if in.rules, err = readRules(n, in.rules, names); err != nil {
			w.fail(n.path, err)
			return
		}
	}
	n.items = make([]item, 0, len(names))
	scopes := make(map[string]scope)
	for _, name := range names {
		w.look(n, name, in, scopes)
	}
	slices.SortFunc(n.items, func(a, b item) int { return strings.Compare(a.name, b.name) })
	w.queueHashing(n)
	for i := range n.items {
		if child := n.items[i].node; child != nil {
			n.dir.retain()
			w.jobs.push(func() { w.descend(n, child, scopes[child.path]) })
		}
	}
}

// descend opens a directory through its parent, so that no path is walked twice and none can be exchanged for a link.
func (w *walker) descend(parent, child *node, in scope) {
	defer parent.dir.release()
	root, err := parent.dir.root.OpenRoot(strings.TrimSuffix(child.path[len(parent.path):], "/"))
	if err != nil {
		w.fail(child.path, unreadable(strings.TrimSuffix(child.path, "/"), err))
		return
	}
	child.dir = newHandle(root, false)
	w.read(child, in)
}

// look decides about one name of a directory and adds it if it belongs to the tree.
func (w *walker) look(n *node, name string, in scope, scopes map[string]scope) {
	if neverTaken(name) {
		return
	}
	path := n.path + name
	info, err := n.dir.root.Lstat(name)
	if err != nil {
		w.fail(path, unreadable(path, err))
		return
	}
	out, ok := w.filter.enter(in, path, info.IsDir())
	if !ok {
		return
	}
	if err := checkPath(path); err != nil {
		w.fail(path, err)
		return
	}
	if info.IsDir() {
		child := &node{path: path + "/"}
		scopes[child.path] = out
		n.items = append(n.items, item{name: name + "/", node: child})
		return
	}
	entry, err := newEntry(n.dir.root, name, path, info)
	entry.fresh = entry.stamp.fresh(w.began)
	if err != nil {
		w.fail(path, err)
		return
	}
	w.files.Add(1)
	w.bytes.Add(entry.Size)
	n.items = append(n.items, item{name: name, entry: entry})
}

func checkPath(path string) error {
	switch {
	case !utf8.ValidString(path):
		return aloft.Errorf(aloft.Invalid, "the name of %q is not valid UTF-8", path).WithHint("rename it or name it in .aloftignore")
	case len(path) > MaxPath:
		return aloft.Errorf(aloft.Invalid, "the path %.60q… is longer than %d bytes", path, MaxPath).
			WithHint("shorten it or name it in .aloftignore")
	}
	return nil
}

func newEntry(dir *os.Root, name, path string, info fs.FileInfo) (Entry, error) {
	entry := Entry{Path: path, stamp: stampOf(info)}
	switch kind := info.Mode().Type(); kind {
	case 0:
		entry.Size, entry.Mode = info.Size(), 0o644
		if info.Mode()&0o100 != 0 {
			entry.Mode = 0o755
		}
		return entry, nil
	case fs.ModeSymlink:
		target, err := dir.Readlink(name)
		if err != nil {
			return entry, unreadable(path, err)
		}
		entry.Mode, entry.Link = fs.ModeSymlink|0o777, target
		return entry, CheckLink(path, target)
	default:
		return entry, aloft.Errorf(aloft.Invalid, "%q is a %s, not a file", path, kindOf(kind)).
			WithHint("remove it or name it in .aloftignore")
	}
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	default:
		return "device"
	}
}

// flatten appends the entries below n, in the order of their paths.
func (n *node) flatten(to []Entry) []Entry {
	for i := range n.items {
		if child := n.items[i].node; child != nil {
			to = child.flatten(to)
		} else {
			to = append(to, n.items[i].entry)
		}
	}
	return to
}
