package aws

import (
	"context"
	"fmt"
	"maps"
	"math"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cost"
	"github.com/aloft-run/aloft/internal/metrics"
)

// usage is what CloudWatch has of the requests and events of a stage, by function; nothing of what was hardly called.
type usage struct {
	took  map[string]aloft.Duration // one, on average
	calls map[string]int64
}

const (
	measuredDays  = 7  // before a plan count
	leastMeasured = 20 // requests; fewer may all be those of deploys, to instances that just started
)

// usageOf is what a stage did in the last days. What cannot be read is taken for nothing: a plan does not fail by it.
func (p *Platform) usageOf(ctx context.Context, current aloft.Release) usage {
	u := usage{took: map[string]aloft.Duration{}, calls: map[string]int64{}}
	if current.Version == 0 || current.AWS == nil {
		return u
	}
	const day = 24 * time.Hour
	report, err := p.Metrics(ctx, current.StageRef, metrics.GridOf(measuredDays*day, day, time.Now()))
	if err != nil {
		p.Logger.Warn("read what the stage did", "stage", current.StageRef.String(), "error", err)
		return u
	}
	milliseconds := map[string]float64{}
	for _, f := range report.Functions {
		u.calls[f.Function] += f.Total.Invocations
		milliseconds[f.Function] += f.Total.Duration.Average * float64(f.Total.Invocations)
	}
	maps.DeleteFunc(u.calls, func(_ string, n int64) bool { return n < leastMeasured })
	for name, n := range u.calls {
		took := aloft.Duration(math.Ceil(milliseconds[name]/float64(n))) * aloft.Duration(time.Millisecond)
		u.took[name] = min(max(took, aloft.Duration(time.Millisecond)), cost.MaxDuration)
	}
	return u
}

// duration is how long a request to a function takes.
func (u usage) duration(function string) aloft.Duration {
	if took, measured := u.took[function]; measured {
		return took
	}
	return assumedDuration
}

// parts are how many of all requests go to each function: as was measured, or in equal parts if some of them were hardly called.
func (u usage) parts(functions []aloft.Function) (of map[string]int64, all int64) {
	of = map[string]int64{}
	for _, f := range functions {
		of[f.Name] = u.calls[f.Name]
		all += u.calls[f.Name]
	}
	for _, n := range of {
		if n == 0 {
			return unit(of), int64(len(functions))
		}
	}
	return of, all
}

func unit(of map[string]int64) map[string]int64 {
	for name := range of {
		of[name] = 1
	}
	return of
}

// said is what the price of a million requests of a release goes by.
func (u usage) said(functions []aloft.Function) []string {
	var measured, assumed []string
	for _, f := range functions {
		if took, is := u.took[f.Name]; is {
			measured = append(measured, fmt.Sprintf("%s %s", f.Name, took))
		} else {
			assumed = append(assumed, f.Name)
		}
	}
	var all []string
	logged := fmt.Sprintf("%d bytes logged each", assumedLog)
	switch {
	case len(measured) == 0:
		all = append(all, fmt.Sprintf("requests of %s, %s", assumedDuration, logged))
	default:
		all = append(all, fmt.Sprintf("requests as long as in the last %d days, by CloudWatch: %s; %s", measuredDays, strings.Join(measured, ", "), logged))
		if len(assumed) > 0 {
			all = append(all, fmt.Sprintf("requests of %s to %s, which were hardly called", assumedDuration, strings.Join(assumed, ", ")))
		}
	}
	if n := len(functions); n > 1 {
		how := "in equal parts"
		if len(assumed) == 0 {
			how = "in the parts of those days"
		}
		all = append(all, fmt.Sprintf("the requests go to %d functions %s", n, how))
	}
	return all
}
