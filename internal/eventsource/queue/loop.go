package queue

import (
	"context"

	"github.com/aloft-run/aloft"
)

// traceHeader is the attribute of a message that has the trace of who sent it.
const traceHeader = "AWSTraceHeader"

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
			p.giveBack(ctx, []Message{m}, lastPause, aloft.ErrorCode(err) == aloft.Unavailable)
		}
		if err != nil {
			p.mapping.Fails(0, err)
		}
	}
	return others
}
