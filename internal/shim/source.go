package shim

import (
	"bytes"
	"encoding/json"
	"strings"
)

// origin is what an event says of where it comes from.
type origin struct {
	EventSource string `json:"eventSource"` // SNS writes EventSource, which is read too
	ARN         string `json:"eventSourceARN"`
	SNS         struct {
		TopicARN string `json:"TopicArn"`
	} `json:"Sns"` //nolint:tagliatelle // AWS's
	S3 struct {
		Bucket struct {
			Name string `json:"name"`
		} `json:"bucket"`
	} `json:"s3"`
}

// envelope is an event of EventBridge or of something else.
type envelope struct {
	Records    []origin `json:"Records"` //nolint:tagliatelle // AWS's
	Source     string   `json:"source"`
	DetailType string   `json:"detail-type"` //nolint:tagliatelle // AWS's
	Resources  []string `json:"resources"`
}

// source is the name of the source that an event comes from, "" if it is no source's.
func (s *settings) source(payload []byte) string {
	id, fallback := whence(payload)
	if id == "" {
		return fallback
	}
	short := id[strings.LastIndexAny(id, ":/")+1:]
	if strings.Contains(id, ":dynamodb:") { // arn:…:table/NAME/stream/TIME
		if _, rest, ok := strings.Cut(id, ":table/"); ok {
			short, _, _ = strings.Cut(rest, "/")
		}
	}
	for _, key := range []string{id, short} {
		if name, ok := s.Sources[key]; ok {
			return name
		}
	}
	if fallback != "" {
		return fallback
	}
	return short
}

// whence is the ARN or name of what an event comes from, and what it is called if the function's sources do not say.
func whence(payload []byte) (id, fallback string) {
	e := peek(payload)
	if len(e.Records) > 0 {
		r := e.Records[0]
		switch {
		case r.SNS.TopicARN != "":
			return r.SNS.TopicARN, ""
		case r.S3.Bucket.Name != "":
			return r.S3.Bucket.Name, ""
		}
		return r.ARN, ""
	}
	if e.Source == "" && e.DetailType == "" {
		return "", ""
	}
	if len(e.Resources) > 0 {
		id = e.Resources[0]
	}
	if e.DetailType == "Scheduled Event" || e.Source == "aws.scheduler" {
		return id, "schedule"
	}
	return id, e.Source
}

// peek reads the beginning of an event: of a batch the first record, without the others, which may be megabytes.
func peek(payload []byte) envelope {
	d := json.NewDecoder(bytes.NewReader(payload))
	var first origin
	for _, want := range []json.Token{json.Delim('{'), "Records", json.Delim('[')} {
		if token, err := d.Token(); err != nil || token != want {
			var e envelope
			_ = json.Unmarshal(payload, &e) // what cannot be read comes from nowhere
			return e
		}
	}
	if !d.More() || d.Decode(&first) != nil {
		return envelope{}
	}
	return envelope{Records: []origin{first}}
}
