package topic

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aloft-run/aloft/internal/eventsource"
)

// The parts of an event.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
type (
	value struct {
		Type  string `json:"Type"`
		Value string `json:"Value"`
	}
	notification struct {
		SignatureVersion  string           `json:"SignatureVersion"`
		Timestamp         string           `json:"Timestamp"`
		Signature         string           `json:"Signature"`
		SigningCertURL    string           `json:"SigningCertUrl"`
		MessageID         string           `json:"MessageId"`
		Message           string           `json:"Message"`
		MessageAttributes map[string]value `json:"MessageAttributes"`
		Type              string           `json:"Type"`
		UnsubscribeURL    string           `json:"UnsubscribeUrl"`
		TopicARN          string           `json:"TopicArn"`
		Subject           *string          `json:"Subject"`
	}
	record struct {
		Version      string       `json:"EventVersion"`
		Subscription string       `json:"EventSubscriptionArn"`
		Source       string       `json:"EventSource"`
		SNS          notification `json:"Sns"`
	}
)

// event is what SNS sends of a message. It is not signed: it comes from this server.
func event(m Message) []byte {
	n := notification{
		SignatureVersion: "1", Timestamp: m.Time.UTC().Format("2006-01-02T15:04:05.000Z"), MessageID: m.ID, Message: m.Body,
		MessageAttributes: map[string]value{}, Type: "Notification",
		TopicARN: fmt.Sprintf("arn:aws:sns:%s:%s:%s", eventsource.Region, eventsource.Account, m.Topic),
	}
	if m.Subject != "" {
		n.Subject = &m.Subject
	}
	for name, a := range m.Attributes {
		v := value{a.Type, a.Text}
		if strings.HasPrefix(a.Type, "Binary") {
			v.Value = base64.StdEncoding.EncodeToString(a.Binary)
		}
		n.MessageAttributes[name] = v
	}
	text, err := json.Marshal(map[string]any{"Records": []record{{"1.0", m.Subscription, "aws:sns", n}}})
	if err != nil {
		panic(err) // texts can be written
	}
	return text
}
