package cli

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cost"
	"github.com/aloft-run/aloft/internal/cost/meter"
	"github.com/aloft-run/aloft/internal/manifest"
)

// costPeriod is how far back an app's own requests are looked at.
const costPeriod = 24 * time.Hour

// usageSource says what a stage uses. Implementations: meter.Logs, cloudUsage.
type usageSource interface {
	// Usage measures from since on. It returns NotFound if there was nothing.
	Usage(ctx context.Context, ref aloft.StageRef, since time.Time) (meter.Measured, error)
}

var _ usageSource = meter.Logs{}

type costOptions struct {
	stage                      string
	requests, duration, memory string
	arch, endpoint, box        string
	response, logged           int64
	cores, provisioned         int
	responseSet, loggedSet     bool
	coresSet, prices           bool
}

// costResult is what cost prints with --json.
type costResult struct {
	Stage      *aloft.StageRef `json:"stage,omitempty"`
	Since      time.Time       `json:"since,omitzero"`
	Until      time.Time       `json:"until,omitzero"`
	Functions  []cost.Usage    `json:"functions"`
	Assumed    []string        `json:"assumed"`
	Left       []string        `json:"notCounted"`
	Estimate   cost.Estimate   `json:"estimate"`
	Comparison cost.Comparison `json:"comparison"`

	known bool // the endpoint and the architecture are those that it has on AWS
}

func newCost(p *program) *cobra.Command {
	var o costOptions
	c := newCommand(cobra.Command{
		Use:   "cost [stage] [flags]",
		Short: "Say what an app costs on AWS Lambda, and from which load on a machine is cheaper",
		Long: `Prints what the requests of a stage cost on AWS Lambda, behind API Gateway, with logs: a day and a month of 30 days, in
dollars before tax, and what the free tier takes off, apart. Then from how many requests a day on a machine of your own
costs no more, and how busy that would be: cores, if each request keeps one busy for all its duration. And what a load
balancer before that machine would be.

The load is that of the last 24 hours, by the stage's log, or by CloudWatch's figures if it is on AWS; of a stage or a
log that is younger, that of its time. --requests with --duration says another one and needs no app; --requests alone
takes the app's own load at that rate. The other flags set what functions would be.

Prices are a table with a date and a source for each figure (--prices), not AWS's page of today; they are those of
us-east-1. Not counted: resources, disks, what is free for a year only, taxes, support.

With --json: {"stage", "since", "until", "functions", "assumed", "notCounted", "estimate": {"date", "region", "lines",
"lambda", "total"}, "comparison": {"box", "loadBalancer", "breakEven", "breakEvenWithFreeTier", "busy", "capacity"}};
money in dollars.

Exit status: 0 printed; 2 the input was wrong, or the stage had no requests.`,
		Example: `  aloft cost
  aloft cost production --memory 512 --endpoint function-url
  aloft cost --requests 16000/day --duration 200ms --memory 1024
  aloft cost --requests 50/s --duration 80ms --box 5.00/month --box-cores 2
  aloft cost --prices`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			o.stage = first(args)
			given := c.Flags().Changed
			o.responseSet, o.loggedSet, o.coresSet = given("response-bytes"), given("log-bytes"), given("box-cores")
			return runCost(c.Context(), p, o)
		},
	})
	o.flags(c)
	return c
}

func (o *costOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&o.requests, "requests", "", "how many: 16000/day, 500/hour, 2.5/s, 480000/month")
	f.StringVar(&o.duration, "duration", "", "of a request on average, such as 200ms")
	f.StringVar(&o.memory, "memory", "", "of functions, in MB or such as 1GB (default: what they have, else 1024)")
	f.StringVar(&o.arch, "arch", "", "arm64 or x86_64 (default arm64)")
	f.StringVar(&o.endpoint, "endpoint", "", "http-api, rest-api or function-url (default http-api)")
	f.Int64Var(&o.response, "response-bytes", 0, "of an answer on average")
	f.Int64Var(&o.logged, "log-bytes", 0, "logged for a request on average (default 300, Lambda's own lines)")
	f.IntVar(&o.provisioned, "provisioned", 0, "instances of each function that are kept ready")
	f.StringVar(&o.box, "box", "", "what a machine costs, such as 5.00/month (default: a small EC2 instance)")
	f.IntVar(&o.cores, "box-cores", 2, "processors of that machine")
	f.BoolVar(&o.prices, "prices", false, "print the table of prices, with date and sources")
	_ = c.RegisterFlagCompletionFunc("arch", cobra.FixedCompletions([]string{string(cost.ARM64), string(cost.X86)}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("endpoint", cobra.FixedCompletions(
		[]string{string(cost.HTTPAPI), string(cost.RESTAPI), string(cost.FunctionURL)}, cobra.ShellCompDirectiveNoFileComp))
}

// wanted is what the flags say, read.
type wanted struct {
	requests    cost.Amount
	duration    aloft.Duration
	memory      int
	box         cost.Box
	requestsSet bool
}

func (o costOptions) read() (w wanted, err error) {
	if o.requests != "" {
		w.requestsSet = true
		if w.requests, err = cost.ParseRate(o.requests); err != nil {
			return w, err
		}
		if w.requests.Sign() == 0 {
			return w, aloft.Errorf(aloft.Invalid, "--requests %s is none", o.requests)
		}
	}
	if o.duration != "" {
		d, err := time.ParseDuration(o.duration)
		if err != nil || d <= 0 || aloft.Duration(d) > cost.MaxDuration {
			return w, aloft.Errorf(aloft.Invalid, "--duration %q is no duration of a request", o.duration).WithHint("such as 200ms, up to %s", cost.MaxDuration)
		}
		w.duration = aloft.Duration((d + time.Millisecond - 1).Truncate(time.Millisecond)) // as Lambda bills it
	}
	if w.memory, err = lambdaMemory(o.memory); err != nil {
		return w, err
	}
	function := cost.Usage{Memory: cost.MinMemory}
	o.applyTo(&function, w)
	if _, err := cost.New(cost.Stage{Functions: []cost.Usage{function}}); err != nil {
		return w, err
	}
	w.box, err = o.machine()
	return w, err
}

// machine is what Lambda is compared with.
func (o costOptions) machine() (cost.Box, error) {
	switch {
	case o.cores < 1 || o.cores > 1024:
		return cost.Box{}, aloft.Errorf(aloft.Invalid, "--box-cores %d is out of range", o.cores).WithHint("1 to 1024")
	case o.box != "":
		return cost.ParseBox(o.box, o.cores)
	case o.coresSet:
		return cost.Box{}, aloft.Errorf(aloft.Invalid, "--box-cores says nothing without --box").WithHint("--box 5.00/month --box-cores %d", o.cores)
	}
	return cost.DefaultBox(), nil
}

// lambdaMemory reads MB, or a size with its unit; "" is 0.
func lambdaMemory(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	mb, err := strconv.Atoi(text)
	if err != nil {
		mb, _ = manifest.ParseSize(text)
	}
	if mb < cost.MinMemory || mb > cost.MaxMemory {
		return 0, aloft.Errorf(aloft.Invalid, "--memory %q is no memory of a function", text).
			WithHint("Lambda has %d to %d MB: --memory 1024, --memory 1GB", cost.MinMemory, cost.MaxMemory)
	}
	return mb, nil
}

func runCost(ctx context.Context, p *program, o costOptions) error {
	w, err := o.read()
	if err != nil {
		return err
	}
	if o.prices {
		return p.printPrices()
	}
	result := costResult{Assumed: []string{}, Left: []string{}}
	if w.requestsSet && w.duration > 0 {
		if o.stage != "" {
			return aloft.Errorf(aloft.Invalid, "%s is not looked at: --requests and --duration say the load", o.stage).
				WithHint("leave out the stage, or --duration")
		}
		result.Functions = []cost.Usage{{Requests: w.requests, Memory: cost.DefaultMemory, LogBytes: meter.OwnLines}}
	} else if err := o.measure(ctx, p, &result); err != nil {
		return err
	}
	stage := cost.Stage{Functions: result.Functions}
	if result.Stage != nil && w.requestsSet {
		stage = stage.At(w.requests)
	}
	o.apply(w, stage.Functions, &result)
	result.Functions = stage.Functions
	if result.Estimate, err = cost.New(stage); err != nil {
		return err
	}
	if result.Comparison, err = cost.Compare(stage, w.box); err != nil {
		return err
	}
	if p.flags.json {
		return p.printJSON(result)
	}
	return p.printCost(result)
}

// measure finds what the stage used.
func (o costOptions) measure(ctx context.Context, p *program, result *costResult) error {
	ref, err := p.stage(o.stage)
	if err != nil {
		return err
	}
	release, err := p.currentRelease(ctx, ref)
	if err != nil {
		return err
	}
	c, err := p.connect(ctx, ref)
	if err != nil {
		return err
	}
	defer c.Close()
	now := time.Now()
	measured, err := usageOf(c, release, now).Usage(ctx, ref, now.Add(-costPeriod))
	if err != nil {
		return err
	}
	result.Stage, result.Since, result.Until = &ref, measured.Since, measured.Until
	result.Functions = measured.Functions
	result.known = release.AWS != nil
	result.Left = append(result.Left, measured.Left...)
	if len(measured.LogsAssumed) > 0 && !o.loggedSet {
		result.Assumed = append(result.Assumed, fmt.Sprintf("%d bytes logged a request of %s, which are Lambda's own lines: CloudWatch has no figure (--log-bytes)",
			meter.OwnLines, strings.Join(measured.LogsAssumed, ", ")))
	}
	for _, f := range release.Tuned() {
		if f.Memory == 0 && o.memory == "" && (f.Kind == aloft.Web || f.Kind == aloft.Handler) {
			result.Assumed = append(result.Assumed, fmt.Sprintf("%s has %d MB, as aloft deploys what says nothing (--memory)", f.Name, cost.DefaultMemory))
		}
	}
	return nil
}

// apply sets what the flags say, and notes what they leave to be assumed.
func (o costOptions) apply(w wanted, functions []cost.Usage, result *costResult) {
	assume := func(given bool, text string) {
		if !given {
			result.Assumed = append(result.Assumed, text)
		}
	}
	measured := result.Stage != nil
	assume(measured || w.memory > 0, "1024 MB, as aloft deploys what says nothing (--memory)")
	assume(result.known || o.arch != "", "arm64, as aloft deploys (--arch)")
	assume(result.known || o.endpoint != "", "an HTTP API (--endpoint)")
	assume(measured || o.loggedSet, "300 bytes logged a request, which are Lambda's own lines (--log-bytes)")
	if (!measured || result.known) && !o.responseSet {
		result.Left = append(result.Left, "data sent to the Internet (--response-bytes)")
	}
	for i := range functions {
		o.applyTo(&functions[i], w)
	}
}

func (o costOptions) applyTo(u *cost.Usage, w wanted) {
	u.Arch = cost.Arch(cmp.Or(o.arch, string(u.Arch), string(cost.ARM64)))
	u.Endpoint = cost.Endpoint(cmp.Or(o.endpoint, string(u.Endpoint), string(cost.HTTPAPI)))
	if w.memory > 0 {
		u.Memory = w.memory
	}
	if w.duration > 0 {
		u.Duration = w.duration
	}
	if o.responseSet {
		u.ResponseBytes = o.response
	}
	if o.loggedSet {
		u.LogBytes = o.logged
	}
	u.Provisioned = o.provisioned
}
