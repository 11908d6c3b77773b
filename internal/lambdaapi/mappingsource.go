package lambdaapi

import (
	"context"
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
)

// Mappings runs event source mappings.
type Mappings interface {
	// Put makes a mapping run, as it is now. It returns Invalid for a source that is none.
	Put(ctx context.Context, m Mapping) error
	// Remove ends a mapping. There need not be one.
	Remove(ctx context.Context, uuid string) error
	// Result says in Lambda's words how a mapping did last: "OK", "No records processed", "PROBLEM: …".
	Result(uuid string) string
}

// Mapping is an event source mapping: what a source holds is events for a function.
type Mapping struct {
	UUID      string
	Stage     aloft.StageRef
	Function  string
	Qualifier string // as of InvokeInput
	Source    string // the ARN of a queue or a stream, with the options of aloft's event sources
	Whole     bool   // answers say nothing of single records
	Enabled   bool
}

// mappingSettings are the settings of a mapping that aloft acts on, or refuses.
type mappingSettings struct {
	BatchSize                      int
	MaximumBatchingWindowInSeconds int
	FilterCriteria                 filterCriteria
	FunctionResponseTypes          []string
	ScalingConfig                  struct{ MaximumConcurrency int }
	StartingPosition               string
	StartingPositionTimestamp      float64
	MaximumRetryAttempts           *int
	MaximumRecordAgeInSeconds      int
	BisectBatchOnFunctionError     bool
	TumblingWindowInSeconds        int
	DestinationConfig              struct{ OnFailure struct{ Destination string } }
}

const (
	queueARN  = "arn:aws:sqs:"
	streamARN = "arn:aws:kinesis:"
	topicARN  = "arn:aws:sns:"
)

// defaults are Lambda's, which depend on the kind of the source.
func (m *mapping) defaults() error {
	set := func(name, value string) {
		if m.Settings[name] == nil {
			m.Settings[name] = json.RawMessage(value)
		}
	}
	if strings.HasPrefix(m.source(), queueARN) {
		set("BatchSize", "10")
		return nil
	}
	if m.Settings["StartingPosition"] == nil {
		return invalid("1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.")
	}
	set("BatchSize", "100")
	set("ParallelizationFactor", "1")
	set("MaximumRecordAgeInSeconds", "-1")
	set("MaximumRetryAttempts", "-1")
	set("BisectBatchOnFunctionError", "false")
	set("TumblingWindowInSeconds", "0")
	set("DestinationConfig", `{"OnFailure":{}}`)
	return nil
}

// settings reads what aloft acts on, and refuses what it would have to act on and cannot.
func (m *mapping) settings() (s mappingSettings, err error) {
	text, err := json.Marshal(m.Settings)
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	switch {
	case err != nil:
		return s, invalid("A setting of the event source mapping is not of its type.")
	case !strings.HasPrefix(m.source(), queueARN) && !strings.HasPrefix(m.source(), streamARN):
		return s, invalid("Event source %s is not supported: aloft has the queues of SQS and the streams of Kinesis.", m.source())
	case s.TumblingWindowInSeconds > 0:
		return s, invalid("TumblingWindowInSeconds is not supported by aloft.")
	case s.DestinationConfig.OnFailure.Destination != "":
		return s, invalid("DestinationConfig of an event source mapping is not supported by aloft: records that are given up are in the log.")
	}
	return s, nil
}

// text is the mapping's source as aloft's event sources are written.
func (m *mapping) text(s mappingSettings) (string, error) {
	options := url.Values{"batch": {strconv.Itoa(s.BatchSize)}}
	filter, err := s.FilterCriteria.option()
	if err != nil {
		return "", err
	}
	if filter != "" {
		options.Set("filter", filter)
	}
	if s.MaximumBatchingWindowInSeconds != 0 {
		options.Set("window", strconv.Itoa(s.MaximumBatchingWindowInSeconds))
	}
	if strings.HasPrefix(m.source(), queueARN) {
		if s.ScalingConfig.MaximumConcurrency != 0 {
			options.Set("maximum-concurrency", strconv.Itoa(s.ScalingConfig.MaximumConcurrency))
		}
		return m.source() + "?" + encode(options), nil
	}
	switch s.StartingPosition {
	case "LATEST":
	case "TRIM_HORIZON":
		options.Set("position", "trim-horizon")
	case "AT_TIMESTAMP":
		whole, part := math.Modf(s.StartingPositionTimestamp)
		options.Set("position", time.Unix(int64(whole), int64(part*float64(time.Second))).UTC().Format(time.RFC3339))
	default:
		return "", invalid("%q is no StartingPosition.", s.StartingPosition)
	}
	if s.MaximumRetryAttempts != nil {
		options.Set("retries", strconv.Itoa(*s.MaximumRetryAttempts))
	}
	if s.MaximumRecordAgeInSeconds > 0 {
		options.Set("maximum-age", strconv.Itoa(s.MaximumRecordAgeInSeconds))
	}
	options.Set("bisect", strconv.FormatBool(s.BisectBatchOnFunctionError))
	return m.source() + "?" + encode(options), nil
}

// encode writes options as aloft's sources have them, in which a plus is a plus.
func encode(options url.Values) string { return strings.ReplaceAll(options.Encode(), "+", "%20") }

// filterCriteria are patterns: what one of them lets through reaches the function.
type filterCriteria struct {
	Filters []struct{ Pattern string }
}

const maxPattern = 4096 // bytes, as the API's model has it

// option is the option of aloft's sources that says the same, "" for no filters.
func (c filterCriteria) option() (string, error) {
	var all []json.RawMessage
	for _, f := range c.Filters {
		switch {
		case len(f.Pattern) > maxPattern:
			return "", invalid("Invalid filter pattern definition: a pattern has at most %d bytes.", maxPattern)
		case !json.Valid([]byte(f.Pattern)):
			return "", invalid("Invalid filter pattern definition: the pattern is no JSON.")
		}
		all = append(all, json.RawMessage(f.Pattern))
	}
	if len(all) == 0 {
		return "", nil
	}
	text, err := json.Marshal(all)
	return string(text), err
}

// running is a mapping for who runs it.
func (a *API) running(ctx context.Context, m mapping) (Mapping, error) {
	s, err := m.settings()
	if err != nil {
		return Mapping{}, err
	}
	source, err := m.text(s)
	if err != nil {
		return Mapping{}, err
	}
	t, err := a.find(ctx, m.Ref, "")
	if err != nil {
		return Mapping{}, err
	}
	return Mapping{
		UUID: m.UUID, Stage: t.stage.StageRef, Function: t.function.Name, Qualifier: t.route(), Source: source, Enabled: m.Enabled,
		Whole: !slices.Contains(s.FunctionResponseTypes, "ReportBatchItemFailures"),
	}, nil
}

// keepMapping stores a mapping and has it run. The caller holds a.mu.
func (a *API) keepMapping(ctx context.Context, m mapping) error {
	run, err := a.running(ctx, m)
	if err != nil {
		return err
	}
	if a.Mappings != nil {
		if err := a.Mappings.Put(ctx, run); err != nil {
			return err
		}
	}
	return save(ctx, a.Docs, mappingPrefix+m.UUID, m)
}

// RestoreMappings makes all mappings run, after a start of the server. One whose function is gone does not, until there is one
// of that name.
func (a *API) RestoreMappings(ctx context.Context) error {
	return a.restoreMappings(ctx, func(mapping) bool { return true })
}

func (a *API) restoreMappings(ctx context.Context, which func(mapping) bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	all, err := a.mappings(ctx)
	if err != nil || a.Mappings == nil {
		return err
	}
	for _, m := range all {
		if !which(m) {
			continue
		}
		if run, err := a.running(ctx, m); err == nil {
			_ = a.Mappings.Put(ctx, run) // its result says that it does not run
		}
	}
	return nil
}

// result is a mapping's LastProcessingResult.
func (a *API) result(m mapping) string {
	if a.Mappings == nil || !m.Enabled {
		return "No records processed"
	}
	return a.Mappings.Result(m.UUID)
}
