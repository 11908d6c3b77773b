package local

import (
	"context"
	"sync"
	"time"

	"github.com/aloft-run/aloft/internal/runtimeapi"
)

var _ runtimeapi.Watcher = (*tail)(nil)

const (
	maxTail      = 4 << 10 // bytes, as on Lambda
	tailPatience = time.Second
)

// tail keeps the last of what is logged while an instance works on a call.
type tail struct {
	free chan struct{}

	mu   sync.Mutex
	text []byte
}

func newTail() *tail { return &tail{free: make(chan struct{})} }

// Logged implements runtimeapi.Watcher.
func (t *tail) Logged(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(append(t.text, text...), '\n')
	if over := len(t.text) - maxTail; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
}

// Freed implements runtimeapi.Watcher.
func (t *tail) Freed() { close(t.free) }

// wait returns the text once the instance is free, which comes after its answer. A function that goes on is not waited for long.
func (t *tail) wait(ctx context.Context) []byte {
	patience := time.NewTimer(tailPatience)
	defer patience.Stop()
	select {
	case <-t.free:
	case <-patience.C:
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]byte(nil), t.text...)
}
