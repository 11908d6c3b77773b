package queue

import (
	"crypto/md5" //nolint:gosec // what SQS lets receivers check bodies with; no protection
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aloft-run/aloft/internal/eventsource"
)

// record is a message as Lambda passes it on.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
type record struct {
	ID            string               `json:"messageId"`
	Receipt       string               `json:"receiptHandle"`
	Body          string               `json:"body"`
	System        map[string]string    `json:"attributes"`
	Attributes    map[string]attribute `json:"messageAttributes"`
	AttributesMD5 string               `json:"md5OfMessageAttributes,omitempty"`
	MD5           string               `json:"md5OfBody"`
	Source        string               `json:"eventSource"`
	ARN           string               `json:"eventSourceARN"`
	Region        string               `json:"awsRegion"`
}

type attribute struct {
	Text        *string  `json:"stringValue,omitempty"`
	Binary      []byte   `json:"binaryValue,omitempty"`
	Texts       []string `json:"stringListValues"`
	BinaryTexts [][]byte `json:"binaryListValues"`
	Type        string   `json:"dataType"`
}

func event(queue string, messages []Message) []byte {
	records := make([]record, len(messages))
	for i, m := range messages {
		records[i] = recordOf(queue, m)
	}
	text, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		panic(err) // texts can be written
	}
	return text
}

func recordOf(queue string, m Message) record {
	sum := md5.Sum([]byte(m.Body)) //nolint:gosec // see the import
	r := record{
		ID: m.ID, Receipt: m.Receipt, Body: m.Body, System: m.System, Attributes: map[string]attribute{}, AttributesMD5: m.AttributesMD5,
		MD5: hex.EncodeToString(sum[:]), Source: "aws:sqs", Region: eventsource.Region,
		ARN: fmt.Sprintf("arn:aws:sqs:%s:%s:%s", eventsource.Region, eventsource.Account, queue),
	}
	for name, a := range m.Attributes {
		out := attribute{Texts: []string{}, BinaryTexts: [][]byte{}, Type: a.Type}
		if strings.HasPrefix(a.Type, "Binary") {
			out.Binary = a.Binary
		} else {
			out.Text = &a.Text
		}
		r.Attributes[name] = out
	}
	return r
}
