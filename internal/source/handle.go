package source

import (
	"os"
	"sync"
	"sync/atomic"
)

// handle is an open directory that closes when its last user is done.
type handle struct {
	root     *os.Root
	refs     atomic.Int32
	borrowed bool // somebody else closes root
}

func newHandle(root *os.Root, borrowed bool) *handle {
	h := &handle{root: root, borrowed: borrowed}
	h.refs.Store(1)
	return h
}

func (h *handle) retain() { h.refs.Add(1) }

func (h *handle) release() {
	if h.refs.Add(-1) == 0 && !h.borrowed {
		_ = h.root.Close() // read-only: nothing can be lost
	}
}

func (h *handle) names() ([]string, error) {
	f, err := h.root.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

// dirCache opens directories below a root and keeps the last few open, since files are mostly used directory by directory.
type dirCache struct {
	root  *os.Root
	mu    sync.Mutex
	open  map[string]*handle
	order []string // the oldest first
}

const cachedDirs = 8

func newDirCache(root *os.Root) *dirCache {
	return &dirCache{root: root, open: map[string]*handle{".": newHandle(root, true)}}
}

// get returns a directory that stays open until the caller releases it.
func (c *dirCache) get(dir string) (*handle, error) {
	c.mu.Lock()
	h := c.open[dir]
	if h != nil {
		h.retain()
	}
	c.mu.Unlock()
	if h != nil {
		return h, nil
	}
	root, err := c.root.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	h = newHandle(root, false)
	c.put(dir, h)
	return h, nil
}

func (c *dirCache) put(dir string, h *handle) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[dir] != nil {
		return
	}
	h.retain()
	c.open[dir] = h
	c.order = append(c.order, dir)
	if len(c.order) > cachedDirs {
		c.open[c.order[0]].release()
		delete(c.open, c.order[0])
		c.order = c.order[1:]
	}
}

// close closes what no caller holds. The root stays open.
func (c *dirCache) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, dir := range c.order {
		c.open[dir].release()
		delete(c.open, dir)
	}
	c.order = nil
}
