package stream

import (
	"encoding/json"
	"fmt"

	"github.com/aloft-run/aloft/internal/eventsource"
)

// The parts of an event.
// https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
type (
	kinesis struct {
		Schema   string  `json:"kinesisSchemaVersion"`
		Key      string  `json:"partitionKey"`
		Sequence string  `json:"sequenceNumber"`
		Data     []byte  `json:"data"`
		At       float64 `json:"approximateArrivalTimestamp"`
	}
	record struct {
		Kinesis  kinesis `json:"kinesis"`
		Source   string  `json:"eventSource"`
		Version  string  `json:"eventVersion"`
		ID       string  `json:"eventID"`
		Name     string  `json:"eventName"`
		Identity string  `json:"invokeIdentityArn"`
		Region   string  `json:"awsRegion"`
		ARN      string  `json:"eventSourceARN"`
	}
)

func event(stream, shard string, records []Record) []byte {
	all := make([]record, len(records))
	for i, r := range records {
		all[i] = recordOf(stream, shard, r)
	}
	text, err := json.Marshal(map[string]any{"Records": all})
	if err != nil {
		panic(err) // texts can be written
	}
	return text
}

func recordOf(stream, shard string, r Record) record {
	const milli = 1000
	return record{
		Kinesis: kinesis{"1.0", r.Key, r.Sequence, r.Data, float64(r.At.UnixMilli()) / milli},
		Source:  "aws:kinesis", Version: "1.0", ID: shard + ":" + r.Sequence, Name: "aws:kinesis:record",
		Identity: fmt.Sprintf("arn:aws:iam::%s:role/aloft", eventsource.Account), Region: eventsource.Region,
		ARN: fmt.Sprintf("arn:aws:kinesis:%s:%s:stream/%s", eventsource.Region, eventsource.Account, stream),
	}
}
