// Package table is the event source of items that change in tables: table:carts?batch=100. Events are those that Lambda makes of
// DynamoDB's streams, with the old and the new item. It is a source of stacks on AWS only: this machine has no tables.
package table

import (
	"context"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/eventsource/stream"
)

// Kind is the kind of all tables.
type Kind struct{}

var _ eventsource.Kind = Kind{}

// Name implements eventsource.Kind.
func (Kind) Name() string { return aloft.Table }

// Service implements eventsource.Kind.
func (Kind) Service() string { return "dynamodb" }

// Parse implements eventsource.Kind. What an ARN names is a table's stream, which has another one than its table.
func (Kind) Parse(u eventsource.URI) (eventsource.Source, error) {
	const longest = 255
	if u.ARN == "" {
		if err := u.CheckResource(longest, "_."); err != nil {
			return nil, err
		}
	} else if !strings.Contains(u.ARN, ":table/") || !strings.Contains(u.ARN, "/stream/") {
		return nil, u.Fault("it is no ARN of a table's stream").WithHint("such as arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/TIME: LatestStreamArn of aws dynamodb describe-table")
	}
	options := u.Read()
	s := &source{Batches: stream.ReadBatches(options)}
	options.Filter("dynamodb", false)
	s.oldest = options.OneOf("position", "latest", "trim-horizon") == "trim-horizon"
	var err error
	s.uri, err = options.Done()
	return s, err
}

// source is one table of one function.
type source struct {
	stream.Batches

	uri    eventsource.URI
	oldest bool // it begins with the oldest change that is kept
}

var (
	_ eventsource.Cloud = (*source)(nil)
	_ eventsource.Fixed = (*source)(nil)
)

// String implements eventsource.Source.
func (s *source) String() string { return s.uri.String() }

// Name implements eventsource.Source.
func (s *source) Name() string {
	if _, rest, ok := strings.Cut(s.uri.ARN, ":table/"); ok {
		name, _, _ := strings.Cut(rest, "/")
		return name
	}
	return s.uri.Label()
}

// Fixed implements eventsource.Fixed.
func (s *source) Fixed() string {
	if s.oldest {
		return "position=trim-horizon"
	}
	return "position=latest"
}

// Run implements eventsource.Source.
func (s *source) Run(context.Context, *eventsource.Mapping, aloft.Invoker) error {
	return eventsource.None(aloft.Table)
}

// Render implements eventsource.Cloud: Lambda polls the stream of the table, which gets one.
func (s *source) Render(in eventsource.Rendering) (eventsource.Rendered, error) {
	properties, err := s.Properties(s.uri)
	if err != nil {
		return eventsource.Rendered{}, err
	}
	properties["StartingPosition"] = "LATEST"
	if s.oldest {
		properties["StartingPosition"] = "TRIM_HORIZON"
	}
	var arn any = s.uri.ARN
	var patches map[string]map[string]any
	if s.uri.ARN == "" {
		id := in.Declared(s.uri.Kind, s.uri.Name)
		if id == "" {
			return eventsource.Rendered{}, s.uri.Fault("the app has no table %q", s.uri.Name).WithHint("declare it in the resources section of aloft.yml: %s: table", s.uri.Name)
		}
		arn = cfn.GetAtt(id, "StreamArn")
		patches = map[string]map[string]any{id: {"StreamSpecification": map[string]any{"StreamViewType": "NEW_AND_OLD_IMAGES"}}}
	}
	out := in.Poll(s.uri, arn, properties, "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams")
	if out.Patches, out.Origin = patches, s.Name(); s.uri.ARN == "" && in.Physical != nil {
		out.Origin = in.Physical(s.uri.Kind, s.uri.Name)
	}
	return out, nil
}
