package queue

import (
	"context"
	"slices"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/lineage"
)

// work has the function work on a batch and deletes what it has worked on.
func (p *poller) work(ctx context.Context, messages []Message) {
	all := p.parts(p.endLoops(ctx, messages))
	for i, part := range all {
		if whole := p.one(ctx, part); !whole && p.ordered() { // what follows comes after what comes again
			p.giveBack(ctx, slices.Concat(all[i+1:]...), 0, true)
			return
		}
	}
}

// one has the function work on messages. It returns false if some of them come again.
func (p *poller) one(ctx context.Context, messages []Message) (whole bool) {
	ids := make([]string, len(messages))
	for i, m := range messages {
		ids[i] = m.ID
	}
	input := p.mapping.Input(p.source, event(p.queue, messages))
	input.Trace = messages[0].System[traceHeader]
	invoked, err := p.invoker.Invoke(ctx, input)
	if err != nil { // the function has not seen them
		p.mapping.Fails(0, err)
		p.giveBack(ctx, messages, p.longer(), aloft.ErrorCode(err) == aloft.Unavailable)
		return false
	}
	p.mu.Lock()
	p.pause = 0
	p.mu.Unlock()
	failed, why := p.mapping.Failed(invoked, ids)
	var done []string
	for i, id := range ids {
		if !failed[id] {
			done = append(done, messages[i].Receipt)
		}
	}
	if len(done) > 0 {
		if err := p.queues.Delete(ctx, p.queue, done); err != nil {
			p.mapping.Fails(0, err)
		}
		p.mapping.Worked(len(done))
	}
	if why != nil {
		p.mapping.Fails(len(failed), why)
	}
	return len(failed) == 0
}

// giveBack lets others receive messages after a while.
func (p *poller) giveBack(ctx context.Context, messages []Message, after time.Duration, unseen bool) {
	if len(messages) == 0 {
		return
	}
	receipts := make([]string, len(messages))
	for i, m := range messages {
		receipts[i] = m.Receipt
	}
	if err := p.queues.Return(ctx, p.queue, receipts, after, unseen); err != nil {
		p.mapping.Fails(0, err) // else their visibility timeout ends it
	}
}

// longer makes the pause before the next messages longer, and returns it.
func (p *poller) longer() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pause = min(max(2*p.pause, firstPause), lastPause)
	return p.pause
}

// parts divides messages so that those of each part have the same lineage, and its event is not larger than an event may be.
func (p *poller) parts(messages []Message) (all [][]Message) {
	for _, alike := range p.byLineage(messages) {
		all = append(all, bySize(alike)...)
	}
	return all
}

// byLineage divides messages so that what the function makes of each part has the trace of all of it: what is new does not
// count as often as the oldest beside it, nor the other way about. Where the order counts it stays.
func (p *poller) byLineage(messages []Message) (all [][]Message) {
	at := map[string]int{}
	for _, m := range messages {
		line := lineage.Passed(m.System[traceHeader])
		i, known := at[line]
		if !known {
			if p.ordered() {
				clear(at)
			}
			i = len(all)
			at[line], all = i, append(all, nil)
		}
		all[i] = append(all[i], m)
	}
	return all
}

func bySize(messages []Message) (all [][]Message) {
	begin, size := 0, 0
	for i := range messages {
		n := sizeOf(messages[i : i+1])
		if size+n > eventsource.MaxBatch/2 && i > begin { // bodies may double in JSON
			all = append(all, messages[begin:i])
			begin, size = i, 0
		}
		size += n
	}
	return append(all, messages[begin:])
}
