package aloft

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
)

// The types of resources.
const (
	Bucket = "bucket" // objects under keys: S3
	Queue  = "queue"  // messages that one receiver takes: SQS
	Topic  = "topic"  // messages that every subscriber gets: SNS
	Stream = "stream" // records in order per key, kept for a day: Kinesis

	Table    = "table"    // items under keys: DynamoDB
	Postgres = "postgres" // a database: Aurora or RDS
	Cache    = "cache"    // values under keys that may go away: ElastiCache
	Search   = "search"   // documents by their words: OpenSearch
	Mail     = "mail"     // an address or a domain to send from: SES
	Secret   = "secret"   // text that nobody chose: Secrets Manager
)

// Resource is a store or service that a release declares. The platform makes it and keeps it, with what is in it, until the
// stage is destroyed.
type Resource struct {
	Name    string            `json:"name"`
	Type    string            `json:"type"`
	Options map[string]string `json:"options,omitempty"` // such as fifo=true; which there are says the type
}

// Clone returns a copy that shares no memory with r.
func (r Resource) Clone() Resource {
	r.Options = maps.Clone(r.Options)
	return r
}

// What the names of resources may be on AWS.
const (
	maxBucketName = 63
	fifoSuffix    = ".fifo"
)

// ResourceName is the physical name of a stage's resource, as AWS's API has it: made like those of functions. The names of
// FIFO queues and topics end as AWS wants it.
func (r StageRef) ResourceName(res Resource) string {
	name := r.FunctionName(res.Name)
	if res.Type == Bucket && len(name) > maxBucketName {
		sum := sha256.Sum256([]byte(name))
		const digits = 8
		name = name[:maxBucketName-digits-1] + "-" + hex.EncodeToString(sum[:digits/2])
	}
	if res.Options["fifo"] == "true" {
		name += fifoSuffix
	}
	return name
}

// ResourceLister says what resources there are. Implementations: local.Platform, client.Client.
type ResourceLister interface {
	// Resources lists what a stage has, by type and name: what its current release declares, and what earlier ones did. It
	// returns NotFound if the stage has no release.
	Resources(ctx context.Context, ref StageRef) ([]ResourceStatus, error)
}

// ResourceStatus is a resource as it is now.
type ResourceStatus struct {
	Resource string          `json:"resource,omitempty"` // the name in the release; "" for one made through the API
	Type     string          `json:"type"`
	Name     string          `json:"name"` // physical
	ARN      string          `json:"arn"`
	Counts   []ResourceCount `json:"counts"`
	Variable string          `json:"variable,omitempty"` // by which functions know it
	URL      string          `json:"url,omitempty"`      // where clients outside of the app find it, or the API of its kind
}

// Bytes is the ResourceCount of the room that something takes.
const Bytes = "bytes"

// ResourceCount is how much of something there is.
type ResourceCount struct {
	What string `json:"what"` // "objects", "waiting", Bytes
	N    int64  `json:"n"`
}
