package hostile_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/awstest"
)

// awsRun is one scenario with all its faults.
type awsRun struct {
	awsScenario

	t     *testing.T // of a fault
	whole *testing.T // of the scenario
	cloud *awstest.Cloud
	proxy *awsProxy
	shop  *awsShop
	shops int
	round int
	base  []string // what the account has when all is well
	done  map[awsFault]int
	void  int // faults that met no request
	asked int // by visitors
}

func newAWSRun(t *testing.T, cloud *awstest.Cloud, scenario awsScenario) *awsRun {
	t.Helper()
	r := &awsRun{awsScenario: scenario, t: t, whole: t, cloud: cloud, proxy: newAWSProxy(t, cloud.Endpoint), done: map[awsFault]int{}}
	return r
}

// enter makes the stage as it is before the command.
func (r *awsRun) enter() {
	r.t.Helper()
	if r.shop != nil && !r.fresh {
		return
	}
	r.shops++
	r.shop = newAWSShop(r.whole, r.cloud, r.proxy, r.shops, r.regions) // it may outlive this fault
	r.shop.t = r.t
	r.before(r.shop)
	r.shop.look()
}

// all counts the requests of the command, and then lets them go wrong.
func (r *awsRun) all() {
	r.enter()
	round := r.next(r.shop, r.round)
	if o := r.shop.good(round.args...); r.t.Failed() {
		r.t.Fatal(o.said)
	}
	names, _ := r.proxy.seen()
	r.settle(round)
	r.base = r.shop.left()
	r.t.Logf("%d requests: %s\nleft: %s", len(names), strings.Join(names, ", "), strings.Join(r.base, ", "))
	if r.fresh {
		r.leave()
	}
	failures := 0
	for _, plan := range r.plans(names) {
		if !r.t.Run(plan.String(), func(t *testing.T) { r.one(t, plan) }) {
			r.shop = nil // what is left of it is no base for another round
			if failures++; failures == maxFailures {
				return
			}
		}
	}
	if !r.fresh && r.shop != nil {
		r.leave()
	}
	r.t.Logf("%s: %d requests; faults %v, %d met no request; visitors asked %d times", r.name, len(names), r.done, r.void, r.asked)
}

// maxFailures is after how many a run gives up.
const maxFailures = 5

// one tries one fault.
func (r *awsRun) one(t *testing.T, plan awsPlan) {
	t.Helper()
	r.t = t
	if r.shop != nil {
		r.shop.t = t
	}
	defer func() { r.t, r.shop.t = r.whole, r.whole }()
	r.enter()
	r.try(plan)
	if r.fresh {
		r.leave()
	}
}

// plans are the faults of a run: all of them at full size, else the scenario's own, spread over its requests.
func (r *awsRun) plans(names []string) []awsPlan {
	var plans []awsPlan
	step, err := strconv.Atoi(os.Getenv("ALOFT_FAULT_STEP"))
	if err != nil || step < 1 {
		step = 1
		if !full() {
			for i, kind := range r.some {
				plans = append(plans, awsPlan{kind: kind, at: len(names) * (i + 1) / (len(r.some) + 1)})
			}
			return plans
		}
	}
	kinds := []awsFault{throttled, killAfter, denied, lost, hung, killBefore, broken, expired, unavailable}
	for at := range names {
		for i := range kinds {
			plans = append(plans, awsPlan{kind: kinds[(at+i)%len(kinds)], at: at + 1})
		}
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		plans = append(plans, awsPlan{kind: denied, all: name})
	}
	var some []awsPlan
	for i := step / 2; i < len(plans); i += step {
		some = append(some, plans[i])
	}
	return some
}

// try lets a command go wrong, and looks at what became of it.
func (r *awsRun) try(plan awsPlan) {
	r.t.Helper()
	s := r.shop
	r.round++
	round := r.next(s, r.round)
	stop := func() (int, []string) { return 0, nil }
	if round.old != "" && round.new != "" {
		stop = s.visitors(round.old, round.new)
	}
	o := s.aloft(plan, round.args...)
	asked, wrong := stop()
	r.asked += asked
	_, hit := r.proxy.seen()
	if hit == "" {
		r.void++
	} else {
		r.done[plan.kind]++
	}
	if len(wrong) > 0 {
		r.t.Errorf("%d of %d visitors got something else than %q or %q: %q", len(wrong), asked, round.old, round.new, wrong[0])
	}
	if wrong := judge(plan, o, hit); wrong != "" {
		r.t.Error(wrong)
	}
	if o.took > 15*time.Second {
		r.t.Logf("%s (%s) took %v", plan, hit, o.took)
	}
	if hit != "" && (plan.kind.kills() || plan.kind == expired || strings.HasSuffix(hit, "state/locks")) {
		s.unlock()
	}
	again := outcome{}
	if o.status != 0 {
		again = s.recover(round)
	}
	r.settle(round)
	if got := s.left(); r.base != nil && !slices.Equal(got, r.base) {
		r.t.Errorf("left: %q\nnot: %q", got, r.base)
	}
	if r.t.Failed() {
		r.t.Fatalf("%s, %s (%s), %v:\n%s\nthen %v:\n%s", strings.Join(round.args, " "), plan, hit, o.took, o.said, again.took, again.said)
	}
}

// judge says what is wrong with how a command ended; "" if nothing is.
func judge(plan awsPlan, o outcome, hit string) string {
	switch {
	case strings.Contains(o.said, "goroutine "):
		return "it panicked"
	case hit == "" || plan.kind.once() && plan.all == "":
		if o.status != 0 {
			return fmt.Sprintf("a retry would have helped: status %d", o.status)
		}
	case plan.kind.kills():
	case o.status != 0 && strings.Count(o.said, "hint: ") != 1:
		return fmt.Sprintf("status %d without one hint", o.status)
	}
	return ""
}

// settle looks at the stage after a command that succeeded.
func (r *awsRun) settle(round awsRound) {
	r.t.Helper()
	s := r.shop
	s.noServer()
	if round.new == "" {
		return
	}
	s.look()
	if s.now != round.new {
		r.t.Errorf("the app says %q, not %q", s.now, round.new)
	}
	if s.history() == 0 {
		r.t.Error("no release is current")
	}
}

// leave destroys the stage and looks at what is left in the account.
func (r *awsRun) leave() {
	r.t.Helper()
	s := r.shop
	if r.name != "destroy" {
		s.good("destroy", "production", "--yes")
	}
	want := slices.Repeat([]string{"stack aloft"}, len(s.regions))
	if got := s.left(); !slices.Equal(got, want) {
		r.t.Errorf("left after destroy: %q", got)
	}
}
