package aws

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	smithy "github.com/aws/smithy-go/middleware"

	"github.com/aloft-run/aloft"
)

var _ aloft.LogService = (*Platform)(nil)

// logGroup is where Lambda writes what a function prints.
func logGroup(function string) string { return "/aws/lambda/" + function }

// group is a function's log in a region.
type group struct {
	*region

	function string // ours
	lambda   string // Lambda's

	releases map[string]int // by Lambda's version, as far as they were looked up
}

// Logs yields what the functions of a stage printed, in all its regions; see [aloft.LogService]. CloudWatch has lines some seconds
// after they were printed.
func (p *Platform) Logs(ctx context.Context, query aloft.LogQuery) iter.Seq2[aloft.LogLine, error] {
	return func(yield func(aloft.LogLine, error) bool) {
		groups, err := p.groups(ctx, query.Stage)
		if err != nil {
			yield(aloft.LogLine{}, err)
			return
		}
		t := tail{groups: groups, seen: map[string]time.Time{}}
		lines := t.last(ctx, query)
		for {
			for _, line := range lines {
				if !yield(line, nil) {
					return
				}
			}
			if !query.Follow || !t.goesOn() {
				break
			}
			if t.err = p.pause(ctx); t.err != nil {
				break
			}
			lines = t.since(ctx, t.newest.Add(-late))
			t.forget()
		}
		if t.err != nil {
			yield(aloft.LogLine{}, t.err)
		}
	}
}

// groups are the logs of the functions of the release by which a stage is looked at.
func (p *Platform) groups(ctx context.Context, ref aloft.StageRef) ([]*group, error) {
	at, err := p.shown(ctx, ref)
	release := at.release
	if err != nil || release.Version == 0 {
		return nil, err
	}
	var all []*group
	for _, name := range release.AWS.Regions {
		for _, f := range lambdaFunctions(release) {
			all = append(all, &group{region: p.in(name), function: f.Name, lambda: release.NameOf(f), releases: map[string]int{}})
		}
	}
	return all, nil
}

// late is how much later than others CloudWatch may have a line. It is read again and again, so it is short; a quiet function's
// environment may keep a line for longer, which then shows without --follow only.
const late = time.Minute

// tail is a log that is being read.
type tail struct {
	groups []*group
	seen   map[string]time.Time // ids of events, with their times
	newest time.Time
	err    error
}

// last are the lines that a query asks for and that are there: those since a time, or the last so many. These are looked for in
// longer and longer times.
func (t *tail) last(ctx context.Context, query aloft.LogQuery) []aloft.LogLine {
	now := time.Now()
	t.newest = now
	if !query.Since.IsZero() {
		return final(t.since(ctx, query.Since), query.Limit)
	}
	const day = 24 * time.Hour
	var lines []aloft.LogLine
	for _, back := range []time.Duration{5 * time.Minute, time.Hour, day, 30 * day} {
		clear(t.seen)
		lines = t.since(ctx, now.Add(-back))
		if t.err != nil || query.Limit > 0 && len(lines) >= query.Limit {
			break
		}
	}
	return final(lines, query.Limit)
}

// final are the last lines, at most limit (0: all).
func final(lines []aloft.LogLine, limit int) []aloft.LogLine {
	if limit == 0 {
		return lines
	}
	return lines[max(0, len(lines)-limit):]
}

// since are the lines from a time on that were not seen before, oldest first. If a log cannot be read the lines of the others, and
// of its first pages, are there.
func (t *tail) since(ctx context.Context, from time.Time) []aloft.LogLine {
	var lines []aloft.LogLine
	for _, g := range t.groups {
		found, err := g.read(ctx, from, t.seen)
		lines = append(lines, found...)
		if err != nil {
			t.err = err
			break
		}
	}
	slices.SortStableFunc(lines, func(a, b aloft.LogLine) int { return cmp.Compare(a.Time.UnixNano(), b.Time.UnixNano()) })
	if len(lines) > 0 && lines[len(lines)-1].Time.After(t.newest) {
		t.newest = lines[len(lines)-1].Time
	}
	return lines
}

// goesOn reports whether a log can be followed: when AWS answers again, what was not read is read then.
func (t *tail) goesOn() bool { return t.err == nil || aloft.ErrorCode(t.err) == aloft.Unavailable }

// forget drops events that are too old to be read again.
func (t *tail) forget() {
	const spare = time.Minute
	for id, at := range t.seen {
		if at.Before(t.newest.Add(-late - spare)) {
			delete(t.seen, id)
		}
	}
}

func (g *group) read(ctx context.Context, from time.Time, seen map[string]time.Time) ([]aloft.LogLine, error) {
	var lines []aloft.LogLine
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(g.logs, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: sdk.String(logGroup(g.lambda)), StartTime: sdk.Int64(from.UnixMilli()),
	})
	same := map[string]int{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if is(err, noResource) { // nothing was printed yet
			return lines, nil
		}
		if err != nil {
			return lines, g.Session.explain(err, "read the log of "+g.lambda+" in "+g.name)
		}
		for _, e := range page.Events {
			id := g.idOf(e, same)
			if _, known := seen[id]; !known {
				seen[id] = time.UnixMilli(sdk.ToInt64(e.Timestamp))
				lines = append(lines, g.line(ctx, e))
			}
		}
	}
	return lines, nil
}

// idOf names an event, the same each time it is read. Emulators may give events no ids; there it is what the event is, and which one
// it is of those that look the same, as counted in same.
func (g *group) idOf(e types.FilteredLogEvent, same map[string]int) string {
	if id := sdk.ToString(e.EventId); id != "" {
		return g.name + " " + g.lambda + " " + id
	}
	id := strings.Join([]string{g.name, g.lambda, sdk.ToString(e.LogStreamName), strconv.FormatInt(sdk.ToInt64(e.Timestamp), 10), sdk.ToString(e.Message)}, " ")
	same[id]++
	return id + " " + strconv.Itoa(same[id])
}

// streamName is how Lambda names the streams of a log: a date, the version, and the instance.
var streamName = regexp.MustCompile(`\[([^\]]+)\](\w+)$`)

func (g *group) line(ctx context.Context, e types.FilteredLogEvent) aloft.LogLine {
	line := aloft.LogLine{
		Time: time.UnixMilli(sdk.ToInt64(e.Timestamp)), Region: g.name, Function: g.function, Stream: "stdout", Text: strings.TrimRight(sdk.ToString(e.Message), "\r\n"),
	}
	if parts := streamName.FindStringSubmatch(sdk.ToString(e.LogStreamName)); parts != nil {
		const enough = 8
		line.Release, line.Instance = g.releaseOf(ctx, parts[1]), g.function+"."+parts[2][:min(enough, len(parts[2]))]
	}
	if request, is := requestLine(line.Text); is {
		line.Stream, line.Text, line.RequestID = "access", request.text(), request.RequestID
	}
	for _, word := range []string{"START RequestId: ", "END RequestId: ", "REPORT RequestId: ", "INIT_START "} {
		if rest, is := strings.CutPrefix(line.Text, word); is {
			line.Stream = "aloft"
			line.RequestID, _, _ = strings.Cut(strings.Fields(rest + " -")[0], "\t")
		}
	}
	return line
}

// request is what the shim prints of one.
type request struct {
	Type, Method, Path, RequestID string
	Status                        int
	Bytes                         int64
	MS                            float64
}

// requestLine reads a line of the shim's own.
func requestLine(text string) (r request, is bool) {
	if !strings.HasPrefix(text, `{"type":"request",`) {
		return r, false
	}
	return r, json.Unmarshal([]byte(text), &r) == nil
}

// text is the request as the gateway of a server writes it.
func (r request) text() string {
	return fmt.Sprintf("%s %s %d %dB %.3fms", r.Method, r.Path, r.Status, r.Bytes, r.MS)
}

// releaseOf is the release that a version of Lambda was made for, as its description says; 0 if it is not known.
func (g *group) releaseOf(ctx context.Context, version string) int {
	if n, known := g.releases[version]; known {
		return n
	}
	out, err := g.region.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &g.lambda, Qualifier: &version})
	n := 0
	if err == nil {
		n, _ = strconv.Atoi(strings.TrimPrefix(sdk.ToString(out.Description), "v"))
	}
	g.releases[version] = n
	return n
}

// requestID is that of an answer of AWS.
func requestID(metadata smithy.Metadata) string {
	id, _ := middleware.GetRequestIDMetadata(metadata)
	return id
}
