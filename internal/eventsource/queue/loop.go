package queue

import (
	"context"
	"slices"

	"github.com/aloft-run/aloft/internal/lineage"
)

// traceHeader is the attribute of a message that has the trace of who sent it.
const traceHeader = "AWSTraceHeader"

// trace is that of a batch: of the message that the function has worked on most often.
func (p *poller) trace(messages []Message) string {
	most := slices.MaxFunc(messages, func(a, b Message) int {
		return lineage.Passes(a.System[traceHeader], p.mapping.Stage, p.mapping.Function) - lineage.Passes(b.System[traceHeader], p.mapping.Stage, p.mapping.Function)
	})
	return most.System[traceHeader]
}

// endLoops hands on those messages that run in circles as events that nobody waits for, each by itself: they become dead
// letters of the function. It returns the others.
func (p *poller) endLoops(ctx context.Context, messages []Message) (others []Message) {
	if p.mapping.Ends == nil {
		return messages
	}
	for _, m := range messages {
		input := p.mapping.Input(p.source, nil)
		if input.Trace = m.System[traceHeader]; !p.mapping.Ends(ctx, input) {
			others = append(others, m)
			continue
		}
		input.Async, input.Payload, input.RequestID = true, event(p.queue, []Message{m}), p.mapping.ID("loop "+m.ID)
		_, err := p.invoker.Invoke(ctx, input)
		if err == nil {
			err = p.queues.Delete(ctx, p.queue, []string{m.Receipt})
		} else {
			_ = p.queues.Return(ctx, p.queue, []string{m.Receipt}, lastPause) // else its visibility timeout ends it
		}
		if err != nil {
			p.mapping.Fails(0, err)
		}
	}
	return others
}
