package testevent

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
)

// storage are the kinds of buckets.
func storage() []Kind {
	about := "an object of a bucket was made or removed"
	return []Kind{{
		Name: "s3", About: about,
		Settings: map[string]string{"bucket": "uploads", "key": "in/photo.jpg", "event": "ObjectCreated:Put", "size": "1024"}, make: s3,
	}}
}

func s3(v values) (any, error) {
	size, err := strconv.ParseInt(v.text("size"), 10, 64)
	if err != nil {
		return nil, aloft.Errorf(aloft.Invalid, "%q is no size in bytes", v.text("size"))
	}
	owner := object{"principalId": "EXAMPLE"}
	thing := object{"key": strings.ReplaceAll(url.QueryEscape(v.text("key")), "%2F", "/"), "sequencer": "0A1B2C3D4E5F678901"}
	if strings.HasPrefix(v.text("event"), "ObjectCreated:") {
		thing["size"], thing["eTag"] = size, "0123456789abcdef0123456789abcdef"
	}
	return records(object{
		"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": region, "eventTime": v.millis(), "eventName": v.text("event"),
		"userIdentity": owner, "requestParameters": object{"sourceIPAddress": "127.0.0.1"},
		"responseElements": object{"x-amz-request-id": "EXAMPLE123456789", "x-amz-id-2": "EXAMPLE123/5678abcdefghijklambdaisawesome/mnopqrstuvwxyzABCDEFGH"},
		"s3": object{
			"s3SchemaVersion": "1.0", "configurationId": "testConfigRule",
			"bucket": object{"name": v.text("bucket"), "ownerIdentity": owner, "arn": "arn:aws:s3:::" + v.text("bucket")}, "object": thing,
		},
	}), nil
}

// rules are the kinds of EventBridge.
func rules() []Kind {
	return []Kind{
		{Name: "schedule", About: "a schedule's time has come", Settings: map[string]string{"rule": "every-day"}, make: func(v values) (any, error) {
			return bridged(v, "aws.events", "Scheduled Event", []string{arn("events", "rule/"+v.text("rule"))}, json.RawMessage("{}")), nil
		}},
		{Name: "eventbridge", About: "an event of an event bus", Settings: map[string]string{"source": "shop", "detail-type": "order", "detail": `{"hello":"world"}`}, make: func(v values) (any, error) {
			detail := json.RawMessage(v.text("detail"))
			if !json.Valid(detail) {
				return nil, aloft.Errorf(aloft.Invalid, "detail is no JSON")
			}
			return bridged(v, v.text("source"), v.text("detail-type"), []string{}, detail), nil
		}},
	}
}

func bridged(v values, source, kind string, resources []string, detail json.RawMessage) object {
	return object{
		"version": "0", "id": v.id, "detail-type": kind, "source": source, "account": account, "time": v.now.UTC().Format(time.RFC3339),
		"region": region, "resources": resources, "detail": detail,
	}
}
