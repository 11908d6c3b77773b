package logs

import "sync"

// queue hands work from Append to the background goroutines. None of its methods blocks.
type queue struct {
	mu    *sync.Mutex
	dirty *[]*stage
	full  *[]job
	// Signals, each holding at most one.
	dirtied, hurried, filled chan struct{}
}

// job is a full segment to compress.
type job struct {
	stage   *stage
	segment *segment
}

func makeQueue() queue {
	return queue{new(sync.Mutex), new([]*stage), new([]job), make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{}, 1)}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// flush asks for st to be written within the flush interval.
func (q queue) flush(st *stage) {
	q.mu.Lock()
	*q.dirty = append(*q.dirty, st)
	q.mu.Unlock()
	signal(q.dirtied)
}

// hurry asks for what is dirty to be written now.
func (q queue) hurry() { signal(q.hurried) }

// compress asks for a full segment to be compressed.
func (q queue) compress(j job) {
	q.mu.Lock()
	*q.full = append(*q.full, j)
	q.mu.Unlock()
	signal(q.filled)
}

func (q queue) takeDirty() []*stage {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := *q.dirty
	*q.dirty = nil
	return all
}

func (q queue) takeFull() []job {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := *q.full
	*q.full = nil
	return all
}
