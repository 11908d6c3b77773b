package stream

import (
	"time"

	"github.com/aloft-run/aloft/internal/eventsource"
)

var (
	_ eventsource.Cloud = (*source)(nil)
	_ eventsource.Fixed = (*source)(nil)
)

// Fixed implements eventsource.Fixed.
func (s *source) Fixed() string {
	switch {
	case !s.since.IsZero():
		return "position=" + s.since.UTC().Format(time.RFC3339)
	case s.oldest:
		return "position=" + horizon
	}
	return "position=" + latest
}

// Render implements eventsource.Cloud: Lambda polls Kinesis.
func (s *source) Render(in eventsource.Rendering) (eventsource.Rendered, error) {
	properties, err := s.Properties(s.uri)
	if err != nil {
		return eventsource.Rendered{}, err
	}
	switch {
	case !s.since.IsZero():
		properties["StartingPosition"], properties["StartingPositionTimestamp"] = "AT_TIMESTAMP", s.since.Unix()
	case s.oldest:
		properties["StartingPosition"] = "TRIM_HORIZON"
	default:
		properties["StartingPosition"] = "LATEST"
	}
	arn, origin := in.Target(s.uri)
	out := in.Poll(s.uri, arn, properties,
		"kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:ListShards")
	out.Origin = origin
	return out, nil
}

// Properties are those of an event source mapping of shards, without where it begins.
func (b Batches) Properties(u eventsource.URI) (map[string]any, error) {
	const leastAge = time.Minute
	properties := map[string]any{
		"BatchSize": b.batch, "MaximumRetryAttempts": b.retries, "BisectBatchOnFunctionError": b.bisect, "ParallelizationFactor": b.parallel,
	}
	if b.window > 0 {
		properties["MaximumBatchingWindowInSeconds"] = int(b.window / time.Second)
	}
	switch {
	case b.age == 0:
		properties["MaximumRecordAgeInSeconds"] = -1
	case b.age < leastAge:
		return nil, u.Fault("maximum-age is %v at least on AWS", leastAge).WithHint("make it longer, or bound retries instead")
	default:
		properties["MaximumRecordAgeInSeconds"] = int(b.age / time.Second)
	}
	return properties, nil
}
