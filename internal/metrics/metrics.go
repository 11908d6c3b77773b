// Package metrics is what a stage did over a time, in buckets: how often its functions were invoked, how that went and how long it
// took, and what came through its gateway. FromLog reads it from the log that a server keeps. It asks nobody and prints nothing;
// internal/aws has the same figures from CloudWatch.
package metrics

import (
	"time"

	"github.com/aloft-run/aloft"
)

// Report is what a stage did.
type Report struct {
	Stage     aloft.StageRef `json:"stage"`
	Since     time.Time      `json:"since"`
	Until     time.Time      `json:"until"`
	Step      aloft.Duration `json:"step"` // of a bucket
	Functions []Function     `json:"functions"`
	Gateways  []Gateway      `json:"gateways"`
}

// Function is what a function did, on AWS in one region.
type Function struct {
	Function string  `json:"function"`
	Region   string  `json:"region,omitempty"`
	Total    Calls   `json:"total"`
	Buckets  []Calls `json:"buckets"`            // all of them, oldest first
	LogBytes int64   `json:"logBytes,omitempty"` // that CloudWatch took in and bills, in all; 0: none, or nobody knows
}

// Calls are the invocations of a function in a time: for a web function the requests that it answered, too.
type Calls struct {
	Time        time.Time `json:"time,omitzero"` // when the bucket begins
	Invocations int64     `json:"invocations"`
	Errors      int64     `json:"errors"`
	Throttles   int64     `json:"throttles"`   // refused for want of concurrency
	Concurrency int64     `json:"concurrency"` // the most at once
	Duration    Latency   `json:"duration"`
}

// Gateway is what came through the gateway, on AWS in one region.
type Gateway struct {
	Region  string     `json:"region,omitempty"`
	Total   Requests   `json:"total"`
	Buckets []Requests `json:"buckets"`
}

// Requests are those of a time.
type Requests struct {
	Time         time.Time `json:"time,omitzero"`
	Count        int64     `json:"count"`
	ClientErrors int64     `json:"clientErrors"` // answered with 4xx
	ServerErrors int64     `json:"serverErrors"` // answered with 5xx
	Latency      Latency   `json:"latency"`
}

// Latency is how long something took, in milliseconds; zero if it never was, or if nobody knows.
type Latency struct {
	Average float64 `json:"average"`
	P50     float64 `json:"p50"`
	P95     float64 `json:"p95"`
	P99     float64 `json:"p99"`
}

// Grid is a time in steps. The last may be cut off.
type Grid struct {
	Since, Until time.Time
	Step         time.Duration
}

// GridOf is the time before until, in steps that begin at whole multiples of a step. It may begin a little earlier than asked for.
func GridOf(back, step time.Duration, until time.Time) Grid {
	return Grid{Since: until.Add(-back).Truncate(step), Until: until, Step: step}
}

// Len is the number of buckets.
func (g Grid) Len() int {
	return max(1, int((g.Until.Sub(g.Since)+g.Step-1)/g.Step))
}

// At is the bucket of a moment; false if it is in none.
func (g Grid) At(moment time.Time) (int, bool) {
	if moment.Before(g.Since) || !moment.Before(g.Until) {
		return 0, false
	}
	return int(moment.Sub(g.Since) / g.Step), true
}

// Begin is when a bucket begins.
func (g Grid) Begin(bucket int) time.Time { return g.Since.Add(time.Duration(bucket) * g.Step) }
