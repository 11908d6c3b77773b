package line

import (
	"slices"
	"strings"
	"sync"
)

const (
	tailLines = 20
	tailBytes = 2 << 10 // kept of each of them
)

// Tail keeps the last 20 lines, 2 KB of each. The zero value is ready. It is safe for concurrent use.
type Tail struct {
	mu   sync.Mutex
	last []string
}

// Add takes one more line.
func (t *Tail) Add(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.last) == tailLines {
		t.last = slices.Delete(t.last, 0, 1)
	}
	t.last = append(t.last, strings.Clone(text[:min(len(text), tailBytes)]))
}

// Lines returns what is kept, newest last.
func (t *Tail) Lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.last)
}

// String returns the lines as one text.
func (t *Tail) String() string { return strings.Join(t.Lines(), "\n") }
