package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cost"
)

// printCost prints an estimate and the comparison with a machine.
func (p *program) printCost(r costResult) error {
	for _, u := range r.Functions {
		fmt.Fprintln(p.out, usageText(u))
	}
	if r.Stage != nil {
		fmt.Fprintf(p.out, "measured over %s until %s%s\n", short(r.Until.Sub(r.Since)), r.Until.Local().Format(time.DateTime), scaledText(r))
	}
	fmt.Fprintf(p.out, "\nAWS %s, prices of %s, dollars before tax, months of %d days\n", r.Estimate.Region, r.Estimate.Date, cost.DaysPerMonth)
	rows := [][]string{{"WHAT", "IN A MONTH", "PRICE", "A DAY", "A MONTH", "FREE TIER", "LEFT A MONTH"}}
	for _, line := range r.Estimate.Lines {
		rows = append(rows, sumRow(line.Service+" "+line.What, line.Quantity.Short(1)+" "+line.Counted, priceText(line), line.Sum))
	}
	rows = append(rows, sumRow("Lambda alone", "", "", r.Estimate.Lambda), sumRow("all", "", "", r.Estimate.Total))
	if err := table(p.out, rows); err != nil {
		return err
	}
	fmt.Fprintln(p.out)
	p.printComparison(r.Comparison)
	if p.flags.quiet {
		return nil
	}
	for _, text := range r.Assumed {
		fmt.Fprintf(p.err, "assumed: %s\n", clean(text))
	}
	for _, text := range r.Left {
		fmt.Fprintf(p.err, "not counted: %s\n", clean(text))
	}
	return nil
}

// scaledText says what was made of a time that is shorter than asked for.
func scaledText(r costResult) string {
	switch period := r.Until.Sub(r.Since); {
	case period < time.Minute:
		return ", counted as a minute, and as if all day were like it"
	case period < costPeriod:
		return ", as if all day were like it"
	}
	return ""
}

func usageText(u cost.Usage) string {
	load := u.Requests.Short(1) + " requests"
	switch {
	case u.Events.Sign() > 0 && u.Requests.Sign() > 0:
		load += " and " + u.Events.Short(1) + " events"
	case u.Events.Sign() > 0:
		load = u.Events.Short(1) + " events"
	}
	words := []string{load + " a day of " + rounded(u.Duration), fmt.Sprintf("%d MB", u.Memory), string(u.Arch), string(u.Endpoint)}
	if u.Provisioned > 0 {
		words = append(words, fmt.Sprintf("%d kept ready", u.Provisioned))
	}
	text := strings.Join(words, ", ")
	if u.Function != "" {
		text = clean(u.Function) + ": " + text
	}
	return text
}

// rounded says a mean to the tenth of a millisecond.
func rounded(d aloft.Duration) string { return time.Duration(d).Round(100 * time.Microsecond).String() }

func sumRow(what, quantity, price string, s cost.Sum) []string {
	return []string{what, quantity, price, s.Day.Fixed(4), s.Month.Fixed(2), s.Free.Fixed(2), s.Pay.Fixed(2)}
}

// dollars says a price with all its digits.
func dollars(a cost.Amount) string {
	const digits = 10
	if text := a.Short(digits); len(text) > len(a.Fixed(2)) {
		return "$" + text
	}
	return "$" + a.Fixed(2)
}

func priceText(line cost.Line) string {
	if line.Price.Sign() == 0 {
		return "none"
	}
	return dollars(line.Price) + " per " + line.Unit
}

func (p *program) printComparison(c cost.Comparison) {
	fmt.Fprintf(p.out, "Against %s: $%s a month, %s. Compared with $%s a month for Lambda (data sent left out), $%s with the free tier.\n",
		c.Box.Name, c.Box.Month.Fixed(2), plural(c.Box.Cores, "core"), c.Lambda.Month.Fixed(2), c.Lambda.Pay.Fixed(2))
	for _, line := range c.Box.Lines {
		fmt.Fprintf(p.out, "  %s: %s %s at %s\n", line.What, line.Quantity.Short(1), line.Counted, priceText(line))
	}
	fmt.Fprintf(p.out, "  this load keeps %s cores busy if each request does for all its duration\n", c.Busy.Fixed(3))
	fmt.Fprintf(p.out, "  break-even: %s\n", breakEvenText(c, c.Full))
	fmt.Fprintf(p.out, "  break-even with the free tier: %s\n", breakEvenText(c, c.WithFree))
	fmt.Fprintf(p.out, "An Application Load Balancer before it would be $%s a day more, $%s a month, assumed %s LCU at a time; no break-even has it in.\n",
		c.Balancer.Day.Fixed(2), c.Balancer.Month.Fixed(2), c.Balancer.Units.Short(4))
	for _, line := range c.Balancer.Lines {
		fmt.Fprintf(p.out, "  %s: %s %s at %s\n", line.What, line.Quantity.Short(1), line.Counted, priceText(line))
	}
}

func breakEvenText(c cost.Comparison, b cost.BreakEven) string {
	switch {
	case !b.Found:
		return "at no load"
	case b.Requests.Sign() == 0:
		return "at any load: what is kept ready costs more"
	}
	text := fmt.Sprintf("%s requests a day, which keep %s cores busy", b.Requests.Fixed(0), b.Busy.Fixed(2))
	if !b.Carried {
		text += fmt.Sprintf("; the machine carries %s at most, so Lambda is cheaper at any load that it does", c.Capacity.Fixed(0))
	}
	return text
}

// pricesResult is what --prices prints with --json.
type pricesResult struct {
	Date   string       `json:"date"`
	Region string       `json:"region"`
	Prices []cost.Price `json:"prices"`
}

func (p *program) printPrices() error {
	prices := cost.Table()
	if p.flags.json {
		return p.printJSON(pricesResult{cost.Date, cost.Region, prices})
	}
	fmt.Fprintf(p.out, "AWS %s, collected %s, dollars before tax\n", cost.Region, cost.Date)
	rows, sources := [][]string{{"NAME", "WHAT", "PRICE", "FREE A MONTH"}}, [][]string{{"NAME", "SOURCE"}}
	for _, price := range prices {
		free := ""
		if price.Free.Sign() > 0 {
			free = price.Free.Short(0) + " " + price.Counted
		}
		rows = append(rows, []string{string(price.ID), price.Service + " " + price.What, tiersText(price), free})
		sources = append(sources, []string{string(price.ID), price.Source})
	}
	if err := table(p.out, rows); err != nil {
		return err
	}
	fmt.Fprintln(p.out)
	return table(p.out, sources)
}

// tiersText says all tiers of a price.
func tiersText(price cost.Price) string {
	var tiers []string
	for _, tier := range price.Tiers {
		text := dollars(tier.Price)
		if tier.Upto.Sign() > 0 {
			text += " up to " + tier.Upto.Short(0)
		}
		tiers = append(tiers, text)
	}
	return strings.Join(tiers, ", then ") + " per " + price.Unit
}
