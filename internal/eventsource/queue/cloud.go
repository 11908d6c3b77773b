package queue

import (
	"time"

	"github.com/aloft-run/aloft/internal/eventsource"
)

var _ eventsource.Cloud = (*source)(nil)

// What AWS advises for the visibility timeout of a queue: six times what the function may take, so that messages of a throttled
// function are not seen by others, beside the window; and the longest that SQS has.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
const (
	timeouts       = 6
	mostVisibility = 12 * time.Hour
)

// Render implements eventsource.Cloud: Lambda polls SQS. What is said of a queue's visibility is too short for Lambda if the
// function may take longer.
func (s *source) Render(in eventsource.Rendering) (eventsource.Rendered, error) {
	properties := map[string]any{"BatchSize": s.batch}
	if s.window > 0 {
		properties["MaximumBatchingWindowInSeconds"] = seconds(s.window)
	}
	if s.uri.Options["maximum-concurrency"] != "" {
		const least = 2
		if s.concurrency < least {
			return eventsource.Rendered{}, s.uri.Fault("maximum-concurrency is %d at least on AWS", least).
				WithHint("a FIFO queue works on one message of a group at a time; lambda: {reserved: 1} lets the function run once at a time")
		}
		properties["ScalingConfig"] = map[string]any{"MaximumConcurrency": s.concurrency}
	}
	arn, origin := in.Target(s.uri)
	out := in.Poll(s.uri, arn, properties, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes")
	out.Origin = origin
	if id := in.Declared(s.uri.Kind, s.uri.Name); id != "" && s.uri.ARN == "" && in.Timeout > 0 {
		out.Patches = map[string]map[string]any{id: {"VisibilityTimeout": seconds(min(timeouts*in.Timeout+s.window, mostVisibility))}}
	}
	return out, nil
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
