package messages

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"
)

// never is later than any time of a message.
const never = math.MaxInt64

// bells wake those who wait for messages of a queue.
type bells struct {
	mu  sync.Mutex
	all map[string]*bell
}

// bell is rung once.
type bell struct {
	queue string
	rung  chan struct{} // closed then
	until int64         // those who wait look by themselves at that time
}

// get returns the bell of a queue. What comes after that rings it.
func (b *bells) get(queue string) *bell {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all[queue] == nil {
		b.all[queue] = &bell{queue: queue, rung: make(chan struct{}), until: never}
	}
	return b.all[queue]
}

// ring wakes those who wait in queues for longer than until a time.
func (b *bells) ring(at map[string]int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for queue, due := range at {
		if one := b.all[queue]; one != nil && due < one.until {
			close(one.rung)
			delete(b.all, queue)
		}
	}
}

// ringAll wakes everybody.
func (b *bells) ringAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for queue, one := range b.all {
		close(one.rung)
		delete(b.all, queue)
	}
}

// await returns when the bell is rung, or a message is due.
func (s *Store) await(ctx context.Context, b *bell, due int64) error {
	var timer <-chan time.Time
	if due != never {
		s.bells.mu.Lock()
		b.until = min(b.until, due)
		s.bells.mu.Unlock()
		t := time.NewTimer(time.Until(time.UnixMilli(due)))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-b.rung:
		return nil
	case <-timer:
		s.bells.ring(map[string]int64{b.queue: math.MinInt64}) // others who have this bell look again too
		return nil
	case <-s.closing:
		return errClosed
	case <-ctx.Done():
		return fmt.Errorf("wait for messages: %w", context.Cause(ctx))
	}
}
