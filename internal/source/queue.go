package source

import (
	"context"
	"sync"
)

// queue runs jobs that add jobs. The newest runs first, which keeps few directories open.
type queue struct {
	ctx     context.Context
	mu      sync.Mutex
	changed *sync.Cond
	jobs    []func()
	pending int // queued or running
}

func newQueue(ctx context.Context) *queue {
	q := &queue{ctx: ctx}
	q.changed = sync.NewCond(&q.mu)
	return q
}

func (q *queue) push(job func()) {
	q.mu.Lock()
	q.jobs = append(q.jobs, job)
	q.pending++
	q.mu.Unlock()
	q.changed.Signal()
}

// run returns when all jobs are done. Once the context has ended it drops those that have not begun.
func (q *queue) run(workers int) {
	var wg sync.WaitGroup
	for range workers {
		wg.Go(q.work)
	}
	wg.Wait()
}

func (q *queue) work() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		for len(q.jobs) == 0 && q.pending > 0 {
			q.changed.Wait()
		}
		if q.pending == 0 {
			return
		}
		last := len(q.jobs) - 1
		job := q.jobs[last]
		q.jobs = q.jobs[:last]
		q.mu.Unlock()
		if q.ctx.Err() == nil {
			job()
		}
		q.mu.Lock()
		if q.pending--; q.pending == 0 {
			q.changed.Broadcast()
		}
	}
}
