// Package bucket is the event source of objects that come and go in buckets: bucket:uploads?prefix=in/. Each change is one event,
// handed over at least once; events are those of S3.
package bucket

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
)

// Buckets are the buckets of this server, by physical names.
type Buckets interface {
	// Watch has every change of a bucket kept for a watcher from now on. Watching twice is harmless. It returns NotFound if there
	// is no such bucket.
	Watch(ctx context.Context, bucket, watcher string) error
	// Unwatch ends that, and forgets what is kept.
	Unwatch(ctx context.Context, bucket, watcher string) error
	// Deliver hands what is kept to a watcher, at least once each, until ctx ends; it returns nil then. What hand refuses comes
	// again later.
	Deliver(ctx context.Context, watcher string, hand func(ctx context.Context, change Change) error) error
}

// Change is a change of an object.
type Change struct {
	Key       string
	Name      string // ObjectCreated:Put and the like
	Time      time.Time
	Size      int64  // of what was created
	ETag      string // without quotes
	Version   string // "" unless the bucket has versions
	Sequencer string
	Trace     string // of who changed it
}

// Kind is the kind of all buckets.
type Kind struct{ Buckets Buckets }

var _ eventsource.Kind = Kind{}

// Name implements eventsource.Kind.
func (Kind) Name() string { return "bucket" }

// Service implements eventsource.Kind.
func (Kind) Service() string { return "s3" }

// names are the events that a bucket tells of.
func names() []string {
	return []string{
		"ObjectCreated:*", "ObjectCreated:Put", "ObjectCreated:Post", "ObjectCreated:Copy", "ObjectCreated:CompleteMultipartUpload",
		"ObjectRemoved:*", "ObjectRemoved:Delete", "ObjectRemoved:DeleteMarkerCreated",
	}
}

// Parse implements eventsource.Kind.
func (k Kind) Parse(u eventsource.URI) (eventsource.Source, error) {
	const longest = 63
	if err := u.CheckResource(longest, "."); err != nil {
		return nil, err
	}
	if text := u.Options["events"]; text != "" {
		u.Options["events"] = strings.ReplaceAll(text, "s3:", "")
	}
	options := u.Read()
	s := &source{buckets: k.Buckets, prefix: options.Text("prefix", "", nil), suffix: options.Text("suffix", "", nil)}
	s.events = strings.Split(options.Text("events", "ObjectCreated:*", func(text string) string {
		for name := range strings.SplitSeq(text, ",") {
			if !slices.Contains(names(), name) {
				return "a list of " + strings.Join(names(), ", ")
			}
		}
		return ""
	}), ",")
	var err error
	s.uri, err = options.Done()
	return s, err
}

// source is one bucket of one function.
type source struct {
	uri            eventsource.URI
	buckets        Buckets
	prefix, suffix string
	events         []string
}

var _ eventsource.Ender = (*source)(nil)

// String implements eventsource.Source.
func (s *source) String() string { return s.uri.String() }

// Name implements eventsource.Source.
func (s *source) Name() string { return s.uri.Label() }

// wants reports whether a change is an event.
func (s *source) wants(c Change) bool {
	kind, _, _ := strings.Cut(c.Name, ":")
	return strings.HasPrefix(c.Key, s.prefix) && strings.HasSuffix(c.Key, s.suffix) && len(c.Key) >= max(len(s.prefix), len(s.suffix)) &&
		(slices.Contains(s.events, c.Name) || slices.Contains(s.events, kind+":*"))
}

func watcher(m *eventsource.Mapping) string { return m.Reader() + "/" + m.ID("watcher") }

// Run implements eventsource.Source.
func (s *source) Run(ctx context.Context, m *eventsource.Mapping, invoker aloft.Invoker) error {
	if s.buckets == nil {
		return eventsource.None("bucket")
	}
	bucket := m.Resource(s.uri)
	if err := s.buckets.Watch(ctx, bucket, watcher(m)); err != nil {
		return eventsource.Unless(ctx, err)
	}
	return s.buckets.Deliver(ctx, watcher(m), func(ctx context.Context, c Change) error {
		if !s.wants(c) {
			return nil
		}
		input := m.Input(s, event(bucket, m.ID("configuration"), c))
		// The same change handed over twice is one event.
		input.Async, input.Trace, input.RequestID = true, c.Trace, m.ID(strings.Join([]string{"request", c.Key, c.Name, c.Sequencer}, "\x00"))
		if _, err := invoker.Invoke(ctx, input); err != nil {
			m.Fails(0, fmt.Errorf("%s of %s: %w", c.Name, c.Key, err))
			return err
		}
		m.Worked(1)
		return nil
	})
}

// End implements eventsource.Ender.
func (s *source) End(ctx context.Context, m *eventsource.Mapping, _ []string) error {
	return s.buckets.Unwatch(ctx, m.Resource(s.uri), watcher(m))
}

// The parts of an event.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
type (
	principal struct {
		ID string `json:"principalId"`
	}
	object struct {
		Key       string `json:"key"`
		Size      *int64 `json:"size,omitempty"`
		ETag      string `json:"eTag,omitempty"`
		Version   string `json:"versionId,omitempty"`
		Sequencer string `json:"sequencer"`
	}
	container struct {
		Name  string    `json:"name"`
		Owner principal `json:"ownerIdentity"`
		ARN   string    `json:"arn"`
	}
	entity struct {
		Schema        string    `json:"s3SchemaVersion"`
		Configuration string    `json:"configurationId"`
		Bucket        container `json:"bucket"`
		Object        object    `json:"object"`
	}
	record struct {
		Version  string            `json:"eventVersion"`
		Source   string            `json:"eventSource"`
		Region   string            `json:"awsRegion"`
		Time     string            `json:"eventTime"`
		Name     string            `json:"eventName"`
		User     principal         `json:"userIdentity"`
		Request  map[string]string `json:"requestParameters"`
		Response map[string]string `json:"responseElements"`
		S3       entity            `json:"s3"`
	}
)

// event is what S3 sends of a change.
func event(bucket, configuration string, c Change) []byte {
	r := record{
		Version: "2.1", Source: "aws:s3", Region: eventsource.Region, Time: c.Time.UTC().Format("2006-01-02T15:04:05.000Z"), Name: c.Name,
		User: principal{eventsource.Account}, Request: map[string]string{"sourceIPAddress": "127.0.0.1"},
		Response: map[string]string{"x-amz-request-id": c.Sequencer, "x-amz-id-2": c.Sequencer},
		S3: entity{
			Schema: "1.0", Configuration: configuration, Bucket: container{bucket, principal{eventsource.Account}, "arn:aws:s3:::" + bucket},
			Object: object{Key: escape(c.Key), ETag: c.ETag, Version: c.Version, Sequencer: c.Sequencer},
		},
	}
	if strings.HasPrefix(c.Name, "ObjectCreated:") {
		r.S3.Object.Size = &c.Size
	}
	text, err := json.Marshal(map[string]any{"Records": []record{r}})
	if err != nil {
		panic(err) // texts can be written
	}
	return text
}

// escape is a key as S3 writes it: as in a form, but for slashes.
func escape(key string) string {
	return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/")
}
