package testevent

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/aloft-run/aloft"
)

// sequence is a number as streams count their records.
const sequence = "49590338271490256608559692538361571095921575989136588898"

// streams are the kinds of streams and of what comes through them.
func streams() []Kind {
	return []Kind{
		{Name: "kinesis", About: "a record of a stream", Settings: map[string]string{"stream": "clicks", "key": "1", "data": `{"hello":"world"}`}, make: kinesis},
		{Name: "dynamodb", About: "a change of an item of a table", Settings: map[string]string{
			"table": "items", "event": "INSERT", "keys": `{"Id":{"N":"101"}}`, "new": `{"Id":{"N":"101"},"Message":{"S":"New item!"}}`, "old": "",
		}, make: dynamodb},
		{Name: "logs", About: "lines of a log, as a subscription gets them", Settings: map[string]string{"group": "/aws/lambda/shop-create", "message": "hello world"}, make: cloudwatchLogs},
	}
}

func kinesis(v values) (any, error) {
	const shard = "shardId-000000000000"
	return records(object{
		"kinesis": object{
			"kinesisSchemaVersion": "1.0", "partitionKey": v.text("key"), "sequenceNumber": sequence,
			"data": base64.StdEncoding.EncodeToString([]byte(v.text("data"))), "approximateArrivalTimestamp": json.Number(strconv.FormatFloat(float64(v.now.UnixMilli())/1000, 'f', 3, 64)),
		},
		"eventSource": "aws:kinesis", "eventVersion": "1.0", "eventID": shard + ":" + sequence, "eventName": "aws:kinesis:record",
		"invokeIdentityArn": "arn:aws:iam::" + account + ":role/lambda-role", "awsRegion": region, "eventSourceARN": arn("kinesis", "stream/"+v.text("stream")),
	}), nil
}

func dynamodb(v values) (any, error) {
	change := object{"ApproximateCreationDateTime": v.now.Unix(), "SequenceNumber": "4421584500000000017450439091", "SizeBytes": 26, "StreamViewType": "NEW_AND_OLD_IMAGES"}
	for setting, name := range map[string]string{"keys": "Keys", "new": "NewImage", "old": "OldImage"} {
		text := v.text(setting)
		if text == "" {
			continue
		}
		if !json.Valid([]byte(text)) {
			return nil, aloft.Errorf(aloft.Invalid, "%s is no JSON", setting).WithHint(`an item in the form of DynamoDB, such as {"Id":{"N":"101"}}`)
		}
		change[name] = json.RawMessage(text)
	}
	return records(object{
		"eventID": "c4ca4238a0b923820dcc509a6f75849b", "eventName": v.text("event"), "eventVersion": "1.1", "eventSource": "aws:dynamodb", "awsRegion": region,
		"dynamodb": change, "eventSourceARN": arn("dynamodb", "table/"+v.text("table")+"/stream/"+v.now.UTC().Format("2006-01-02T15:04:05.000")),
	}), nil
}

func cloudwatchLogs(v values) (any, error) {
	text, err := encode(object{
		"messageType": "DATA_MESSAGE", "owner": account, "logGroup": v.text("group"), "logStream": "stream", "subscriptionFilters": []string{"filter"},
		"logEvents": []any{object{"id": "eventId1", "timestamp": v.now.UnixMilli(), "message": v.text("message")}},
	})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err = z.Write(text); err == nil {
		err = z.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return object{"awslogs": object{"data": base64.StdEncoding.EncodeToString(b.Bytes())}}, nil
}
