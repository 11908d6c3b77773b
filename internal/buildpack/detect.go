package buildpack

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/aloft-run/aloft"
)

// Result is what Detect found.
type Result struct {
	Name     string    // the buildpack, or two: "procfile + python"
	Plan     Plan      // complete: never an Entry that waits for another plan
	Verdicts []Verdict // one per buildpack, in the order they were asked
}

// Verdict is what one buildpack said of a source.
type Verdict struct {
	Buildpack string
	Matched   bool // the source is of this kind
	Used      bool // its plan is part of the result
	Why       string
}

// answer is a buildpack's whole answer.
type answer struct {
	pack    Buildpack
	plan    Plan
	matched bool
	err     error
}

// Detect asks packs in order and returns the plan of the first that matches, an Entry completed by the next. It returns an
// Invalid error if none does, or if the one that does says that the source cannot be built or started. In the last case
// the Result holds the plan as well, for a caller that knows a start command itself.
func Detect(packs []Buildpack, src fs.FS) (Result, error) {
	empty, err := isEmpty(src)
	if err != nil {
		return Result{}, err
	}
	if empty {
		return Result{}, aloft.Errorf(aloft.Invalid, "the directory is empty").
			WithHint("run aloft in the directory of your app, or name it with -C DIR")
	}
	answers := make([]answer, len(packs))
	for i, pack := range packs {
		plan, matched, err := pack.Detect(src)
		answers[i] = answer{pack, plan, matched, err}
	}
	result, err := choose(answers)
	return result, err
}

func isEmpty(src fs.FS) (bool, error) {
	entries, err := fs.ReadDir(src, ".")
	if err != nil {
		return false, aloft.Errorf(aloft.Invalid, "read the source: %w", err).WithHint("check the directory and its permissions")
	}
	return len(entries) == 0, nil
}

func choose(answers []answer) (Result, error) {
	first := next(answers, -1, func(Plan) bool { return true })
	if first < 0 {
		return Result{Verdicts: verdicts(answers)}, nothingFound(answers)
	}
	used := []int{first}
	if answers[first].err == nil && answers[first].plan.Entry {
		// Files beside a program are the program's business, so a static plan adds nothing to an entry.
		if second := next(answers, first, func(p Plan) bool { return !p.Entry && p.Static == nil }); second >= 0 {
			used = append(used, second)
		}
	}
	result := Result{Verdicts: verdicts(answers, used...)}
	for _, i := range used {
		if answers[i].err != nil {
			return result, answers[i].err
		}
	}
	result.Name, result.Plan = combine(answers, used)
	return result, startable(result.Plan)
}

// next returns the index of the first answer after i that matches and whose plan is wanted, or -1.
func next(answers []answer, i int, wanted func(Plan) bool) int {
	for i++; i < len(answers); i++ {
		if a := answers[i]; a.err != nil || a.matched && wanted(a.plan) {
			return i
		}
	}
	return -1
}

func combine(answers []answer, used []int) (string, Plan) {
	entry := answers[used[0]]
	if len(used) == 1 {
		plan := entry.plan
		plan.Entry = false
		return entry.pack.Name(), plan
	}
	base := answers[used[1]]
	plan := base.plan
	plan.Why = entry.plan.Why + "; " + base.plan.Why
	plan.Workers = entry.plan.Workers
	if entry.plan.Start != "" {
		plan.Start, plan.Resolve, plan.Missing = entry.plan.Start, nil, nil
	}
	return entry.pack.Name() + " + " + base.pack.Name(), plan
}

func startable(plan Plan) error {
	if plan.Start == "" && plan.Static == nil && plan.Resolve == nil {
		return plan.Missing
	}
	return nil
}

func verdicts(answers []answer, used ...int) []Verdict {
	all := make([]Verdict, len(answers))
	for i, a := range answers {
		v := Verdict{Buildpack: a.pack.Name(), Matched: a.matched || a.err != nil, Why: a.plan.Why}
		switch {
		case a.err != nil:
			v.Why = a.err.Error()
		case !a.matched:
			v.Why = "not found: " + a.pack.LooksFor()
		case startable(a.plan) != nil:
			v.Why += ", but " + startable(a.plan).Error()
		}
		all[i] = v
	}
	for _, i := range used {
		all[i].Used = true
	}
	return all
}

func nothingFound(answers []answer) error {
	var b strings.Builder
	b.WriteString("looked for:")
	for _, a := range answers {
		fmt.Fprintf(&b, "\n  %-9s %s", a.pack.Name(), a.pack.LooksFor())
	}
	return aloft.Errorf(aloft.Invalid, "no app found in this directory").
		WithHint("add a Procfile with a line such as \"web: ./start.sh\", or run aloft in the directory of your app (-C DIR)").
		WithDetail(b.String())
}
