package cost

import "slices"

// Difference is what a change costs: lines that differ, and the sums of a month.
type Difference struct {
	Date   string       `json:"date"` // of the prices
	Lines  []Changed    `json:"lines"`
	Before Sum          `json:"before"`
	After  Sum          `json:"after"`
	Change SignedChange `json:"change"`
}

// Changed is a line that differs, in dollars a month, without and with the free tier.
type Changed struct {
	ID      ID     `json:"id"`
	Service string `json:"service"`
	What    string `json:"what"`
	Before  Sum    `json:"before"`
	After   Sum    `json:"after"`
}

// SignedChange is after less before, a month.
type SignedChange struct {
	Month Amount `json:"month"` // without the free tier
	Pay   Amount `json:"pay"`   // with it
}

// Delta prices a stage before and after a change: of memory, architecture, endpoint, provisioned concurrency, resources. It
// returns Invalid for what AWS does not have.
func Delta(before, after Stage) (Difference, error) {
	was, err := New(before)
	if err != nil {
		return Difference{}, err
	}
	is, err := New(after)
	if err != nil {
		return Difference{}, err
	}
	d := Difference{
		Date: Date, Lines: []Changed{}, Before: was.Total, After: is.Total,
		Change: SignedChange{is.Total.Month.Minus(was.Total.Month), is.Total.Pay.Minus(was.Total.Pay)},
	}
	lines := slices.Clone(is.Lines)
	for _, line := range was.Lines {
		if find(is.Lines, line) < 0 {
			lines = append(lines, line)
		}
	}
	for _, line := range lines {
		c := Changed{ID: line.ID, Service: line.Service, What: line.What}
		if i := find(was.Lines, line); i >= 0 {
			c.Before = was.Lines[i].Sum
		}
		if i := find(is.Lines, line); i >= 0 {
			c.After = is.Lines[i].Sum
		}
		if c.Before.Month.Cmp(c.After.Month) != 0 || c.Before.Pay.Cmp(c.After.Pay) != 0 {
			d.Lines = append(d.Lines, c)
		}
	}
	return d, nil
}

func find(lines []Line, like Line) int {
	return slices.IndexFunc(lines, func(l Line) bool { return l.ID == like.ID && l.What == like.What })
}
