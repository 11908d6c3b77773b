package cost

import (
	"maps"
	"slices"

	"github.com/aloft-run/aloft"
)

// Stage is what is priced: functions and what they are asked to do, and how many resources stand beside them.
type Stage struct {
	Functions []Usage       `json:"functions"`
	Resources map[ID]Amount `json:"resources,omitempty"` // how many of what standing prices there are for
}

// Line is what one thing costs. Money is in dollars before tax.
type Line struct {
	ID       ID     `json:"id"`
	Service  string `json:"service"`
	What     string `json:"what"`
	Quantity Amount `json:"quantity"` // a month
	Counted  string `json:"counted"`
	Price    Amount `json:"price"` // of the first tier
	Unit     string `json:"unit"`
	Sum
}

// Sum is money.
type Sum struct {
	Day   Amount `json:"day"`   // without what is free
	Month Amount `json:"month"` // likewise
	Free  Amount `json:"free"`  // what the free tier takes off a month
	Pay   Amount `json:"pay"`   // a month with the free tier
}

func (s Sum) plus(t Sum) Sum {
	return Sum{s.Day.Plus(t.Day), s.Month.Plus(t.Month), s.Free.Plus(t.Free), s.Pay.Plus(t.Pay)}
}

// Estimate is what a stage costs.
type Estimate struct {
	Date   string `json:"date"` // of the prices
	Region string `json:"region"`
	Lines  []Line `json:"lines"`
	Lambda Sum    `json:"lambda"` // of Lambda's lines
	Total  Sum    `json:"total"`
}

// New prices a stage. What is free for ever is shown apart; it is the account's, so other apps may use it up. What is free for
// a year only (API Gateway) is not counted. It returns Invalid for what AWS does not have.
func New(s Stage) (Estimate, error) {
	e := Estimate{Date: Date, Region: Region, Lines: []Line{}}
	m := meters{}
	for _, u := range s.Functions {
		if err := u.check(); err != nil {
			return e, err
		}
		m.function(u)
	}
	for _, id := range slices.Sorted(maps.Keys(s.Resources)) {
		if err := m.resource(id, s.Resources[id]); err != nil {
			return e, err
		}
	}
	left := map[string]Amount{}
	for _, p := range Table() {
		for _, line := range m.lines(p, left) {
			e.Lines = append(e.Lines, line)
			e.Total = e.Total.plus(line.Sum)
			if line.Service == "Lambda" {
				e.Lambda = e.Lambda.plus(line.Sum)
			}
		}
	}
	return e, nil
}

// meter is what was counted of one price in a month, by what it is called.
type meter struct {
	what  string // "" is what the price says
	count Amount
	paid  Amount // of it, what no free tier covers
}

// meters are all meters by price.
type meters map[ID][]meter

func (m meters) add(id ID, n meter) {
	if n.count.Sign() == 0 {
		return
	}
	i := slices.IndexFunc(m[id], func(have meter) bool { return have.what == n.what })
	if i < 0 {
		m[id] = append(m[id], n)
		return
	}
	m[id][i].count, m[id][i].paid = m[id][i].count.Plus(n.count), m[id][i].paid.Plus(n.paid)
}

// function counts what a function uses in a month.
func (m meters) function(u Usage) {
	calls := u.calls().Times(Int(DaysPerMonth))
	compute, run, ready := ComputeX86, ReadyRunX86, ReadyX86
	if u.Arch == ARM64 {
		compute, run, ready = ComputeARM, ReadyRunARM, ReadyARM
	}
	used := meter{count: calls.Times(seconds(u.Duration)).Times(u.gb())}
	if u.Provisioned > 0 { // the free tier does not cover such functions
		m.add(Requests, meter{count: calls, paid: calls})
		m.add(run, used)
		m.add(ready, meter{count: Int(int64(u.Provisioned)).Times(u.gb()).Times(Int(secondsPerDay * DaysPerMonth))})
	} else {
		m.add(Requests, meter{count: calls})
		m.add(compute, used)
	}
	starts := u.ColdStarts.Times(Int(DaysPerMonth)).Times(seconds(u.Init)).Times(u.gb())
	cold := meter{what: "cold starts, " + string(u.Arch), count: starts}
	if u.Provisioned > 0 {
		cold.paid = starts
	}
	m.add(compute, cold)
	m.traffic(u, calls)
}

const bytesPerGB = 1 << 30

// traffic counts what surrounds a function's requests.
func (m meters) traffic(u Usage, calls Amount) {
	requests := u.Requests.Times(Int(DaysPerMonth))
	switch u.Endpoint {
	case HTTPAPI:
		m.add(GatewayHTTP, meter{count: requests.Times(u.pieces())})
	case RESTAPI:
		m.add(GatewayREST, meter{count: requests})
	case FunctionURL:
		m.add(GatewayURL, meter{count: requests})
	case NoEndpoint:
	}
	m.add(LogsIn, meter{count: calls.Times(Int(u.LogBytes)).Over(Int(bytesPerGB))})
	if u.Endpoint != NoEndpoint {
		m.add(TransferOut, meter{count: requests.Times(Int(u.ResponseBytes)).Over(Int(bytesPerGB))})
	}
}

// resource counts what stands.
func (m meters) resource(id ID, n Amount) error {
	p, ok := priceOf(id)
	if !ok {
		return aloft.Errorf(aloft.Invalid, "there is no price for %q", id).WithHint("aloft cost --prices lists those there are")
	}
	if n.Sign() < 0 {
		return aloft.Errorf(aloft.Invalid, "%s of %q are out of range", n.Short(2), id)
	}
	if p.Least.Sign() > 0 {
		n = n.Times(p.Least)
	}
	if p.Counted == "hours" || p.Counted == "GB-hours" {
		n = n.Times(Int(hoursPerDay * DaysPerMonth))
	}
	m.add(id, meter{count: n})
	return nil
}

// lines prices the meters of one price: tiers and what is free are used up in order. left is what pools have still free.
func (m meters) lines(p Price, left map[string]Amount) []Line {
	pool := p.Pool
	if pool == "" {
		pool = string(p.ID)
	}
	if _, known := left[pool]; !known {
		left[pool] = p.Free
	}
	var lines []Line
	var before Amount
	for _, n := range m[p.ID] {
		line := Line{ID: p.ID, Service: p.Service, What: p.What, Quantity: n.count, Counted: p.Counted, Price: p.Tiers[0].Price, Unit: p.Unit}
		if n.what != "" {
			line.What = n.what
		}
		free := least(left[pool], n.count.Minus(n.paid))
		left[pool] = left[pool].Minus(free)
		line.Month = p.month(before.Plus(n.count)).Minus(p.month(before))
		line.Day = line.Month.Over(Int(DaysPerMonth))
		line.Free = p.month(free)
		line.Pay = line.Month.Minus(line.Free)
		before = before.Plus(n.count)
		lines = append(lines, line)
	}
	return lines
}
