package cost

import (
	"regexp"

	"github.com/aloft-run/aloft"
)

// Box is a machine of one's own that would run the app with aloft.
type Box struct {
	Name  string `json:"name"`
	Month Amount `json:"month"` // dollars
	Cores int    `json:"cores"`
	Lines []Line `json:"lines,omitempty"` // what the price is made of
}

const defaultDisk = 20 // GB

// DefaultBox is a small EC2 instance on demand, with a disk and an address.
func DefaultBox() Box {
	const hours = hoursPerDay * DaysPerMonth
	m := meters{}
	m.add(BoxInstance, meter{count: Int(hours)})
	m.add(BoxDisk, meter{count: Int(defaultDisk)})
	m.add(BoxAddress, meter{count: Int(hours)})
	box := Box{Name: "EC2 t4g.small", Cores: 2}
	for _, p := range boxPrices() {
		for _, line := range m.lines(p, map[string]Amount{}) {
			box.Lines = append(box.Lines, line)
			box.Month = box.Month.Plus(line.Month)
		}
	}
	return box
}

var boxPattern = regexp.MustCompile(`^\$?(\d{1,9}(?:\.\d{1,9})?)/(hour|day|month)$`)

// ParseBox reads a price such as "5.00/month" as a box with so many cores. It returns Invalid for anything else.
func ParseBox(text string, cores int) (Box, error) {
	parts := boxPattern.FindStringSubmatch(text)
	if parts == nil {
		return Box{}, aloft.Errorf(aloft.Invalid, "%q is no price of a machine", text).WithHint("such as 5.00/month or 0.0168/hour")
	}
	n, _ := Decimal(parts[1])
	switch parts[2] {
	case "hour":
		n = n.Times(Int(hoursPerDay * DaysPerMonth))
	case "day":
		n = n.Times(Int(DaysPerMonth))
	}
	if n.Sign() == 0 {
		return Box{}, aloft.Errorf(aloft.Invalid, "a machine for nothing needs no comparison")
	}
	return Box{Name: "the machine", Month: n, Cores: cores}, nil
}

// Comparison sets a stage on Lambda against a box. Resources and data sent to the Internet are left out of it: they are the
// same beside both, or a matter of the box's contract. Requests are assumed to keep their mix of functions and their shape.
type Comparison struct {
	Box      Box          `json:"box"`
	Lambda   Sum          `json:"lambda"` // what of the estimate is compared
	Full     BreakEven    `json:"breakEven"`
	WithFree BreakEven    `json:"breakEvenWithFreeTier"`
	Balancer LoadBalancer `json:"loadBalancer"`
	Busy     Amount       `json:"busy"`     // cores that today's requests keep busy on average, if each does for all its duration
	Capacity Amount       `json:"capacity"` // requests a day at which all cores are
}

// LoadBalancer is an Application Load Balancer that may stand before a box; it is in no break-even. Its addresses are not in it.
type LoadBalancer struct {
	Units Amount `json:"units"` // LCU at a time, if the load is even all day and each request makes a connection
	Day   Amount `json:"day"`   // dollars
	Month Amount `json:"month"`
	Lines []Line `json:"lines"`
}

func balancerOf(s Stage) LoadBalancer {
	const hours = hoursPerDay * DaysPerMonth
	b := LoadBalancer{Units: unitsOf(s)}
	m := meters{}
	m.add(Balancer, meter{count: Int(hours)})
	m.add(BalancerUnit, meter{count: b.Units.Times(Int(hours))})
	for _, p := range balancerPrices() {
		b.Lines = append(b.Lines, m.lines(p, map[string]Amount{})...)
	}
	for _, line := range b.Lines {
		b.Day, b.Month = b.Day.Plus(line.Day), b.Month.Plus(line.Month)
	}
	return b
}

// unitsOf are the LCU that a stage's requests take: the greater of connections, 25 new ones a second, and of bytes, 1 GB an hour for what
// is no function of Lambda. Open connections (3,000 a minute) and rules (1,000 evaluations a second, the first ten free) come to less.
func unitsOf(s Stage) Amount {
	const connectionsPerSecond = 25
	var requests, bytes Amount // a day
	for _, u := range s.Functions {
		requests = requests.Plus(u.Requests)
		bytes = bytes.Plus(u.Requests.Times(Int(u.RequestBytes + u.ResponseBytes)))
	}
	connections := requests.Over(Int(secondsPerDay * connectionsPerSecond))
	if transferred := bytes.Over(Int(bytesPerGB)).Over(Int(hoursPerDay)); transferred.Cmp(connections) > 0 {
		return transferred
	}
	return connections
}

// BreakEven is the load from which a box costs no more than Lambda.
type BreakEven struct {
	Found    bool   `json:"found"` // false: at no load that is known
	Requests Amount `json:"requestsPerDay"`
	Busy     Amount `json:"busy"`    // cores then
	Carried  bool   `json:"carried"` // one box has that many
}

// Compare finds from which load on a box is cheaper. A stage without requests has no break-even.
func Compare(s Stage, box Box) (Comparison, error) {
	c := Comparison{Box: box, Balancer: balancerOf(s)}
	s = forBox(s)
	now, err := New(s)
	if err != nil {
		return c, err
	}
	c.Lambda = now.Total
	var work Amount // seconds a day
	requests := s.requests()
	for _, u := range s.Functions {
		work = work.Plus(u.calls().Times(seconds(u.Duration)))
	}
	c.Busy = work.Over(Int(secondsPerDay))
	perRequest := work.Over(requests)
	c.Capacity = Int(int64(box.Cores) * secondsPerDay).Over(perRequest)
	if c.Full, err = breakEven(s, box, func(e Estimate) Amount { return e.Total.Month }); err != nil {
		return c, err
	}
	c.WithFree, err = breakEven(s, box, func(e Estimate) Amount { return e.Total.Pay })
	for _, b := range []*BreakEven{&c.Full, &c.WithFree} {
		b.Busy = b.Requests.Times(perRequest).Over(Int(secondsPerDay))
		b.Carried = b.Found && b.Busy.Cmp(Int(int64(box.Cores))) <= 0
	}
	return c, err
}

// forBox leaves out what is not compared.
func forBox(s Stage) Stage {
	functions := make([]Usage, 0, len(s.Functions))
	for _, u := range s.Functions {
		if u.pieces().Cmp(Int(1)) == 0 { // else its size decides what the gateway costs
			u.ResponseBytes = 0
		}
		functions = append(functions, u)
	}
	return Stage{Functions: functions}
}

// requests are all that the stage is asked to do in a day, events too.
func (s Stage) requests() Amount {
	var sum Amount
	for _, u := range s.Functions {
		sum = sum.Plus(u.calls())
	}
	return sum
}

// scaled is the stage with all its requests multiplied.
func (s Stage) scaled(by Amount) Stage {
	functions := make([]Usage, 0, len(s.Functions))
	for _, u := range s.Functions {
		u.Requests, u.Events, u.ColdStarts = u.Requests.Times(by), u.Events.Times(by), u.ColdStarts.Times(by)
		functions = append(functions, u)
	}
	return Stage{Functions: functions, Resources: s.Resources}
}

// At is the stage with the same mix of requests at another rate, so many a day. A stage without requests stays as it is.
func (s Stage) At(requests Amount) Stage {
	if all := s.requests(); all.Sign() > 0 {
		return s.scaled(requests.Over(all))
	}
	return s
}

// breakEven looks for the least whole number of requests a day at which the stage costs at least what the box does. More
// requests never cost less, so halving finds it.
func breakEven(s Stage, box Box, cost func(Estimate) Amount) (BreakEven, error) {
	requests := s.requests()
	reaches := func(n int64) (bool, error) {
		e, err := New(s.scaled(Int(n).Over(requests)))
		return cost(e).Cmp(box.Month) >= 0, err
	}
	if requests.Sign() == 0 {
		return BreakEven{}, nil
	}
	low, high := int64(0), int64(maxRequests) // of high it is known or given up
	if ok, err := reaches(high); err != nil || !ok {
		return BreakEven{}, err
	}
	for low < high {
		middle := low + (high-low)/2
		ok, err := reaches(middle)
		if err != nil {
			return BreakEven{}, err
		}
		if ok {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return BreakEven{Found: true, Requests: Int(high)}, nil
}
