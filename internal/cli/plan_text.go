package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// planText prints a plan for people.
type planText struct {
	w     io.Writer
	paint paint
	group string // that the line before was in
}

func (p *program) planTo(w io.Writer) *planText { return &planText{w: w, paint: p.paint(w)} }

// print prints a plan in groups.
func (t *planText) print(plan aloft.Plan) {
	for _, group := range []struct {
		title string
		kinds []string
	}{
		{"Stage", []string{"stage"}},
		{"Code", []string{"code"}},
		{"Config", []string{"env", "config"}},
		{"Functions", []string{"function"}},
		{"Routes", []string{"route"}},
		{"Settings", []string{"aws"}},
		{"Resources", []string{"resource"}},
	} {
		for _, c := range plan.Changes {
			if slices.Contains(group.kinds, c.Kind) {
				t.line(group.title, t.mark(c.Action), changeText(c))
			}
		}
	}
	if plan.Preview == nil {
		return
	}
	for _, region := range plan.Preview.Regions {
		t.region(region)
	}
	t.permissions(*plan.Preview)
	if plan.Preview.Cost != nil {
		t.cost(*plan.Preview.Cost)
	}
}

// line prints a line of a group, under its title if it is the first.
func (t *planText) line(group, mark, text string) {
	if group != t.group {
		fmt.Fprintln(t.w, t.paint.bold(clean(group)))
		t.group = group
	}
	fmt.Fprintf(t.w, "  %s %s\n", mark, clean(text))
}

func (t *planText) mark(action aloft.Action) string {
	switch action {
	case aloft.Add:
		return t.paint.green("+")
	case aloft.Remove:
		return t.paint.red("-")
	case aloft.Modify:
	}
	return t.paint.yellow("~")
}

func changeText(c aloft.Change) string {
	text := c.Name
	switch {
	case c.Before != "" && c.After != "":
		text += ": " + c.Before + " → " + c.After
	case c.Before+c.After != "":
		text += ": " + c.Before + c.After
	}
	return text
}

// region prints what happens to the stack of a region.
func (t *planText) region(r aloft.RegionPreview) {
	title := fmt.Sprintf("Stack %s in %s", r.Stack, r.Region)
	switch {
	case r.CodeOnly:
		title += ", not changed: code by Lambda's API"
	case r.Status == "":
		title += ", new"
	default:
		title += ", " + r.Status
	}
	if r.Account {
		t.line(title, t.mark(aloft.Add), "the bucket and the key of the account in this region, once for all apps (stack aloft)")
	}
	parts := map[aloft.Action]int{}
	for _, c := range r.Resources {
		if c.Part {
			parts[c.Action]++
			continue
		}
		t.line(title, t.mark(c.Action), resourceText(c))
	}
	var along []string
	for _, action := range []aloft.Action{aloft.Add, aloft.Modify, aloft.Remove} {
		if n := parts[action]; n > 0 {
			along = append(along, fmt.Sprintf("%d %s", n, map[aloft.Action]string{aloft.Add: "added", aloft.Modify: "modified", aloft.Remove: "removed"}[action]))
		}
	}
	if len(along) > 0 {
		t.line(title, t.paint.dim("…"), "parts that go along (versions, permissions, routes): "+strings.Join(along, ", "))
	}
	for _, loss := range (aloft.Plan{Preview: &aloft.Preview{Regions: []aloft.RegionPreview{r}}}).Losses() {
		t.line(title, t.paint.red("!"), strings.TrimPrefix(loss.String(), r.Region+": "))
	}
	for _, note := range r.Notes {
		t.line(title, t.paint.dim("-"), note)
	}
	if r.CodeOnly {
		t.line(title, t.paint.dim("-"), "each function gets a version, and its alias moves to it")
	}
}

func resourceText(c aloft.ResourceChange) string {
	text := c.ID + " (" + c.Type
	if c.Name != "" {
		text += ", " + c.Name
	}
	text += ")"
	if len(c.Properties) > 0 {
		text += ": " + strings.Join(c.Properties, ", ")
	}
	return text
}

func (t *planText) permissions(p aloft.Preview) {
	for _, c := range p.IAM {
		text := c.Role
		if c.Function != "" {
			text = c.Function
		}
		text += ": "
		if c.Effect != "Allow" {
			text += c.Effect + " "
		}
		text += strings.Join(c.Actions, ", ") + " on " + strings.Join(c.Resources, ", ")
		if c.Why != "" {
			text += " (" + c.Why + ")"
		}
		if len(p.Regions) > 1 {
			text += ", in " + strings.Join(c.Regions, ", ")
		}
		t.line("IAM", t.mark(c.Action), text)
	}
}

// cost prints what a plan costs.
func (t *planText) cost(c aloft.CostChange) {
	const title = "Cost"
	same := t.paint.dim("=")
	mark := func(p aloft.CostPair) string {
		if p.Before == p.After {
			return same
		}
		return t.mark(aloft.Modify)
	}
	t.line(title, mark(c.Standing), "what stands, a month: "+priceOf(c.Standing))
	for _, l := range c.Lines {
		t.line(title, " ", "  "+l.What+": "+priceOf(l.CostPair))
	}
	t.line(title, mark(c.Million), "a million requests: "+priceOf(c.Million))
	for _, text := range c.Assumed {
		t.line(title, t.paint.dim("-"), "assumed: "+text)
	}
	if len(c.Unpriced) > 0 {
		t.line(title, t.paint.dim("-"), "not counted, for want of a price: "+strings.Join(c.Unpriced, ", "))
	}
}

func priceOf(p aloft.CostPair) string {
	if p.Before == p.After {
		return money(p.After.String())
	}
	return money(p.Before.String()) + " → " + money(p.After.String())
}

// money is an amount with at least two decimals.
func money(text string) string {
	whole, part, _ := strings.Cut(text, ".")
	for len(part) < 2 {
		part += "0"
	}
	return "$" + whole + "." + part
}
