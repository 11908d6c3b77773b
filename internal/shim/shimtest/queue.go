package shimtest

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
)

// Queue delivers messages of a queue as Lambda does, in one batch, and again those at which the function fails, up to five times.
func (l *Lambda) Queue(t *testing.T, queue string, messages ...string) {
	t.Helper()
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
			t.Fatal(err)
		}
		reply, err := l.Invoke(t.Context(), event)
		if err != nil {
			t.Fatal(err)
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
			return
		}
	}
	t.Errorf("the function fails at %v again and again", left)
}
