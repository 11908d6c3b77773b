package shimtest

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
)

// Queue delivers messages of a queue as Lambda does, in one batch, and again those at which the function fails, up to five times.
func (l *Lambda) Queue(ctx context.Context, queue string, messages ...string) error {
	left := map[string]string{}
	for i, m := range messages {
		left[fmt.Sprint("message-", i)] = m
	}
	for range 5 {
		var records []map[string]string
		var ids []string
		for id, body := range left {
			ids = append(ids, id)
			records = append(records, map[string]string{
				"messageId": id, "body": body, "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:" + queue,
			})
		}
		event, err := json.Marshal(map[string]any{"Records": records})
		if err != nil {
			return err
		}
		reply, err := l.Invoke(ctx, event)
		if err != nil {
			return err
		}
		invoked := aloft.Invoked{Payload: reply.Payload}
		if reply.Failure != nil {
			invoked.FunctionError, invoked.Payload = reply.Failure.Type, reply.Failure.Payload
		}
		failed, _ := eventsource.Failed(invoked, ids)
		for _, id := range ids {
			if !failed[id] {
				delete(left, id)
			}
		}
		if len(left) == 0 {
			return nil
		}
	}
	return fmt.Errorf("the function fails at %v again and again", left)
}
