package testevent

import (
	"crypto/md5" //nolint:gosec // SQS says it of each message
	"encoding/hex"
	"strconv"
)

// messages are the kinds of queues and topics.
func messages() []Kind {
	return []Kind{
		{Name: "sqs", About: "a message of a queue", Settings: map[string]string{"queue": "jobs", "body": `{"hello":"world"}`}, make: sqs},
		{Name: "sns", About: "a message of a topic", Settings: map[string]string{"topic": "orders", "subject": "hello", "message": `{"hello":"world"}`}, make: sns},
	}
}

func sqs(v values) (any, error) {
	sum := md5.Sum([]byte(v.text("body"))) //nolint:gosec // as above
	sent := strconv.FormatInt(v.now.UnixMilli(), 10)
	return records(object{
		"messageId": v.id, "receiptHandle": "MessageReceiptHandle", "body": v.text("body"), "md5OfBody": hex.EncodeToString(sum[:]),
		"attributes": object{
			"ApproximateReceiveCount": "1", "SentTimestamp": sent, "SenderId": account, "ApproximateFirstReceiveTimestamp": sent,
		},
		"messageAttributes": object{}, "eventSource": "aws:sqs", "eventSourceARN": arn("sqs", v.text("queue")), "awsRegion": region,
	}), nil
}

func sns(v values) (any, error) {
	topic := arn("sns", v.text("topic"))
	const service = "https://sns." + region + ".amazonaws.com/"
	return records(object{
		"EventVersion": "1.0", "EventSource": "aws:sns", "EventSubscriptionArn": topic + ":" + v.id,
		"Sns": object{
			"Type": "Notification", "MessageId": v.id, "TopicArn": topic, "Subject": v.text("subject"), "Message": v.text("message"), "Timestamp": v.millis(),
			"SignatureVersion": "1", "Signature": "EXAMPLE", "SigningCertUrl": service + "SimpleNotificationService-0000.pem",
			"UnsubscribeUrl": service + "?Action=Unsubscribe&SubscriptionArn=" + topic + ":" + v.id, "MessageAttributes": object{},
		},
	}), nil
}
