package report

import (
	"fmt"
	"io"
	"strconv"
)

// Target is a bound for a figure, as docs/PERFORMANCE.md has it.
type Target struct {
	Want float64
	Most bool   // the figure may be at most Want; otherwise at least
	Unit string // of figure and bound, such as " ×" or " ms"
}

// AtLeast is a lower bound.
func AtLeast(want float64, unit string) Target { return Target{Want: want, Unit: unit} }

// AtMost is an upper bound.
func AtMost(want float64, unit string) Target { return Target{Want: want, Most: true, Unit: unit} }

// String returns the bound as tables show it.
func (t Target) String() string {
	sign := "≥"
	if t.Most {
		sign = "≤"
	}
	return fmt.Sprintf("%s %s%s", sign, strconv.FormatFloat(t.Want, 'f', -1, 64), t.Unit)
}

// Verdict says whether a figure meets the target.
func (t Target) Verdict(figure float64) string {
	if t.Most && figure <= t.Want || !t.Most && figure >= t.Want {
		return "met"
	}
	return "**missed**"
}

// Goals collects targets beside what became of them.
type Goals struct{ table *Table }

// NewGoals returns an empty collection.
func NewGoals() *Goals { return &Goals{NewTable("what", "figure", "target", "")} }

// Judge adds a figure and its verdict.
func (g *Goals) Judge(what string, figure float64, t Target) {
	g.table.Add(what, Figure(figure)+t.Unit, t.String(), t.Verdict(figure))
}

// Missing adds a target that nothing could be measured for.
func (g *Goals) Missing(what string, t Target, why string) { g.table.Add(what, "–", t.String(), why) }

// Note adds a figure without a target.
func (g *Goals) Note(what, figure string) { g.table.Add(what, figure, "", "") }

// Print prints the table, if there is something in it.
func (g *Goals) Print(out io.Writer, title string) {
	if !g.table.Empty() {
		g.table.Print(out, title)
	}
}

// Figure writes a number with three digits that count.
func Figure(v float64) string {
	switch {
	case v >= 100 || v <= -100:
		return thousands(strconv.FormatFloat(v, 'f', 0, 64))
	case v >= 10 || v <= -10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

func thousands(digits string) string {
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
