package cost_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cost"
)

// seed is what the article of 2015 that JAWS was presented with reckons with: 16,000 requests a day of 200 ms, 1,024 MB.
func seed(change func(u *cost.Usage)) cost.Stage {
	u := cost.Usage{Requests: cost.Int(16000), Duration: aloft.Duration(200 * time.Millisecond), Memory: 1024, Arch: cost.X86}
	if change != nil {
		change(&u)
	}
	return cost.Stage{Functions: []cost.Usage{u}}
}

func estimate(t *testing.T, s cost.Stage) cost.Estimate {
	t.Helper()
	e, err := cost.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func line(t *testing.T, e cost.Estimate, id cost.ID) cost.Line {
	t.Helper()
	for _, l := range e.Lines {
		if l.ID == id {
			return l
		}
	}
	t.Fatalf("there is no line %s in %+v", id, e.Lines)
	return cost.Line{}
}

func same(t *testing.T, what string, got cost.Amount, decimals int, want string) {
	t.Helper()
	if text := got.Fixed(decimals); text != want {
		t.Errorf("%s is %s, want %s", what, text, want)
	}
}

// TestFixture holds the figures that were computed by hand for the seed's load.
func TestFixture(t *testing.T) {
	x86 := estimate(t, seed(nil))
	same(t, "compute on x86_64", line(t, x86, cost.ComputeX86).Day, 4, "0.0533")
	same(t, "requests", line(t, x86, cost.Requests).Day, 4, "0.0032")
	same(t, "Lambda on x86_64", x86.Total.Day, 4, "0.0565")
	same(t, "GB-seconds a month", line(t, x86, cost.ComputeX86).Quantity, 0, "96,000")
	same(t, "requests a month", line(t, x86, cost.Requests).Quantity, 0, "480,000")
	same(t, "Lambda exactly", x86.Total.Day, 12, "0.056533440000") // 3200 × 0.0000166667 + 16000 × 0.0000002
	same(t, "with the free tier", x86.Total.Pay, 10, "0.0000000000")
	same(t, "a month", x86.Total.Month, 10, "1.6960032000")

	arm := estimate(t, seed(func(u *cost.Usage) { u.Arch = cost.ARM64 }))
	same(t, "Lambda on arm64", arm.Total.Day, 4, "0.0459")
	same(t, "Lambda on arm64 exactly", arm.Total.Day, 12, "0.045866880000") // 3200 × 0.0000133334 + 0.0032
	small := estimate(t, seed(func(u *cost.Usage) { u.Arch, u.Memory = cost.ARM64, 128 }))
	same(t, "128 MB on arm64", small.Total.Day, 4, "0.0085")

	http := line(t, estimate(t, seed(func(u *cost.Usage) { u.Endpoint = cost.HTTPAPI })), cost.GatewayHTTP)
	same(t, "HTTP API a day", http.Day, 4, "0.0160")
	same(t, "HTTP API a month", http.Month, 2, "0.48")
	same(t, "HTTP API with what is free for ever", http.Pay, 2, "0.48")
	rest := line(t, estimate(t, seed(func(u *cost.Usage) { u.Endpoint = cost.RESTAPI })), cost.GatewayREST)
	same(t, "REST API a day", rest.Day, 4, "0.0560")
	same(t, "REST API a month", rest.Month, 2, "1.68")
	url := line(t, estimate(t, seed(func(u *cost.Usage) { u.Endpoint = cost.FunctionURL })), cost.GatewayURL)
	same(t, "function URL", url.Month, 2, "0.00")
}

func TestTiers(t *testing.T) {
	// 700 million requests a month: 300 million for $1.00, 400 million for $0.90
	million := func(n int64) cost.Amount { return cost.Int(n * 1_000_000).Over(cost.Int(30)) }
	e := estimate(t, seed(func(u *cost.Usage) { u.Endpoint, u.Requests = cost.HTTPAPI, million(700) }))
	same(t, "HTTP API", line(t, e, cost.GatewayHTTP).Month, 2, "660.00")
	// 21,000 million: 333 × 3.50 + 667 × 2.80 + 19,000 × 2.38 + 1,000 × 1.51
	e = estimate(t, seed(func(u *cost.Usage) { u.Endpoint, u.Requests = cost.RESTAPI, million(21000) }))
	same(t, "REST API", line(t, e, cost.GatewayREST).Month, 2, "49,763.10")
	// 100,000 million × 0.2 s × 1 GB = 20 billion GB-s: 6 × 16,666.70 + 9 × 15,000 + 5 × 13,333.40 thousand
	e = estimate(t, seed(func(u *cost.Usage) { u.Requests = million(100_000) }))
	same(t, "compute", line(t, e, cost.ComputeX86).Month, 2, "301,667.20")
	// an answer of 513 KB counts as two requests of an HTTP API, and as one of a REST API
	e = estimate(t, seed(func(u *cost.Usage) { u.Endpoint, u.ResponseBytes = cost.HTTPAPI, 513<<10 }))
	same(t, "pieces", line(t, e, cost.GatewayHTTP).Quantity, 0, "960,000")
	e = estimate(t, seed(func(u *cost.Usage) { u.Endpoint, u.ResponseBytes = cost.HTTPAPI, 512<<10 }))
	same(t, "pieces", line(t, e, cost.GatewayHTTP).Quantity, 0, "480,000")
}

func TestFreeTierIsShared(t *testing.T) {
	arm, x86 := seed(func(u *cost.Usage) { u.Arch = cost.ARM64 }).Functions[0], seed(nil).Functions[0]
	arm.Requests, x86.Requests = cost.Int(64000), cost.Int(64000) // 384,000 GB-s a month each
	e := estimate(t, cost.Stage{Functions: []cost.Usage{arm, x86}})
	same(t, "arm64 with the free tier", line(t, e, cost.ComputeARM).Pay, 4, "0.0000")
	same(t, "x86_64 with the rest of it", line(t, e, cost.ComputeX86).Free, 4, "0.2667") // 16,000 GB-s
	same(t, "requests", line(t, e, cost.Requests).Pay, 4, "0.5680")                      // 2.84 million of 3.84
}

func TestProvisionedAndColdStarts(t *testing.T) {
	e := estimate(t, seed(func(u *cost.Usage) { u.Arch, u.Provisioned = cost.ARM64, 2 }))
	same(t, "kept ready", line(t, e, cost.ReadyARM).Month, 4, "17.2803")      // 2 GB × 2,592,000 s × 0.0000033334
	same(t, "running in it", line(t, e, cost.ReadyRunARM).Month, 4, "0.7467") // 96,000 × 0.0000077778
	same(t, "free", e.Total.Free, 4, "0.0000")
	e = estimate(t, seed(func(u *cost.Usage) { u.ColdStarts, u.Init = cost.Int(100), aloft.Duration(time.Second) }))
	if len(e.Lines) != 3 || e.Lines[2].What != "cold starts, x86_64" {
		t.Fatalf("the lines are %+v", e.Lines)
	}
	same(t, "cold starts", e.Lines[2].Day, 6, "0.001667")
	e = estimate(t, seed(func(u *cost.Usage) {
		u.ColdStarts, u.Init, u.Provisioned = cost.Int(100), aloft.Duration(time.Second), 1
	}))
	same(t, "cold starts of a function that is kept ready", line(t, e, cost.ComputeX86).Pay, 4, "0.0500")
	// 20 billion GB-s a month, so cold starts are in the last tier: 30 × 10 million × 0.0000133334
	e = estimate(t, seed(func(u *cost.Usage) {
		u.Requests, u.ColdStarts, u.Init = cost.Int(100_000_000_000).Over(cost.Int(30)), cost.Int(10_000_000), aloft.Duration(time.Second)
	}))
	same(t, "cold starts after much else", e.Lines[2].Month, 2, "4,000.02")
}

func TestEvents(t *testing.T) {
	e := estimate(t, seed(func(u *cost.Usage) {
		u.Endpoint, u.Requests, u.Events, u.ResponseBytes = cost.HTTPAPI, cost.Int(1000), cost.Int(15000), 1<<20
	}))
	same(t, "Lambda", e.Lambda.Day, 4, "0.0565")
	same(t, "through the gateway, two for a request", line(t, e, cost.GatewayHTTP).Quantity, 0, "60,000")
	same(t, "sent", line(t, e, cost.TransferOut).Quantity, 4, "29.2969")
}

func TestLogsAndTransfer(t *testing.T) {
	e := estimate(t, seed(func(u *cost.Usage) { u.Endpoint, u.LogBytes, u.ResponseBytes = cost.HTTPAPI, 1<<15, 1<<19 }))
	same(t, "logs", line(t, e, cost.LogsIn).Month, 4, "7.3242") // 14.648 GB × 0.50
	same(t, "logs with the free tier", line(t, e, cost.LogsIn).Pay, 4, "4.8242")
	same(t, "transfer", line(t, e, cost.TransferOut).Month, 4, "21.0938") // 234.375 GB × 0.09
	same(t, "transfer with the free tier", line(t, e, cost.TransferOut).Pay, 4, "12.0938")
}

func TestBox(t *testing.T) {
	box := cost.DefaultBox()
	same(t, "the box", box.Month, 3, "17.296") // 720 × 0.0168 + 20 × 0.08 + 720 × 0.005
	s := seed(func(u *cost.Usage) { u.Endpoint, u.ResponseBytes = cost.HTTPAPI, 1000 })
	c, err := cost.Compare(s, box)
	if err != nil {
		t.Fatal(err)
	}
	// a request costs 0.2 × 0.0000166667 + 0.0000002 + 0.000001 = 0.00000453334: 17.296 ÷ 30 ÷ that = 127,176.05
	same(t, "break-even", c.Full.Requests, 0, "127,177")
	same(t, "cores busy then", c.Full.Busy, 3, "0.294")
	same(t, "cores busy now", c.Busy, 3, "0.037")
	same(t, "capacity", c.Capacity, 0, "864,000")
	// with 1 million requests ($0.20) and 400,000 GB-s ($6.66668) free: (17.296 + 6.86668) ÷ 30 ÷ 0.00000453334 = 177,669.…
	same(t, "break-even with the free tier", c.WithFree.Requests, 0, "177,667")
	if !c.Full.Carried || !c.WithFree.Carried {
		t.Errorf("two cores do not carry %+v", c)
	}
}

// TestBoxThatCannot: a machine that is cheaper only from a load on that it cannot carry never is.
func TestBoxThatCannot(t *testing.T) {
	box, err := cost.ParseBox("500/month", 1)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cost.Compare(seed(func(u *cost.Usage) { u.Memory = 128 }), box)
	if err != nil {
		t.Fatal(err)
	}
	// a request costs 0.025 × 0.0000166667 + 0.0000002 = 0.0000006166675: 500 ÷ 30 ÷ that = 27,026,990.99, which keep 62.6 cores busy
	same(t, "break-even", c.Full.Requests, 0, "27,026,991")
	if !c.Full.Found || c.Full.Carried {
		t.Errorf("one core carries %+v", c.Full)
	}
	if c, err := cost.Compare(seed(func(u *cost.Usage) { u.Requests = cost.Amount{} }), box); err != nil || c.Full.Found {
		t.Errorf("no requests break even: %+v, %v", c, err)
	}
	standing, err := cost.Compare(seed(func(u *cost.Usage) { u.Provisioned = 1000 }), box)
	if err != nil || !standing.Full.Found || standing.Full.Requests.Sign() != 0 {
		t.Errorf("what is kept ready costs more than the box, but breaks even at %+v, %v", standing.Full, err)
	}
}

func TestDelta(t *testing.T) {
	before := seed(func(u *cost.Usage) { u.Endpoint = cost.RESTAPI })
	after := seed(func(u *cost.Usage) { u.Endpoint, u.Memory, u.Arch = cost.HTTPAPI, 512, cost.ARM64 })
	after.Resources = map[cost.ID]cost.Amount{cost.KMSKey: cost.Int(1), cost.CacheLeast: cost.Int(1), cost.Alarm: cost.Int(12)}
	d, err := cost.Delta(before, after)
	if err != nil {
		t.Fatal(err)
	}
	// compute 1.6 → 0.64, gateway 1.68 → 0.48, key 1.00, cache 0.1 × 720 × 0.084 = 6.048, alarms 1.20
	same(t, "change", d.Change.Month, 4, "6.0880")
	// compute free in both; 10 alarms free
	same(t, "change with the free tier", d.Change.Pay, 4, "6.0480")
	if len(d.Lines) != 7 {
		t.Errorf("the lines are %+v", d.Lines)
	}
	if same, err := cost.Delta(after, after); err != nil || len(same.Lines) != 0 || same.Change.Month.Sign() != 0 {
		t.Errorf("no change costs %+v, %v", same, err)
	}
	if _, err := cost.Delta(before, cost.Stage{Resources: map[cost.ID]cost.Amount{"x": cost.Int(1)}}); aloft.ErrorCode(err) != aloft.Invalid {
		t.Errorf("an unknown resource: %v", err)
	}
}

// TestTable: each price is a figure with a source, and tiers rise.
func TestTable(t *testing.T) {
	seen := map[cost.ID]bool{}
	for _, p := range cost.Table() {
		if seen[p.ID] || p.Source == "" || p.What == "" || p.Service == "" || p.Unit == "" || p.Counted == "" || p.Per.Sign() <= 0 {
			t.Errorf("%s is there twice or says too little: %+v", p.ID, p)
		}
		seen[p.ID] = true
		for i, tier := range p.Tiers {
			last := i == len(p.Tiers)-1
			if tier.Price.Sign() == 0 && p.ID != cost.GatewayURL || last != (tier.Upto.Sign() == 0) {
				t.Errorf("%s has a tier without a price or an end: %+v", p.ID, tier)
			}
			if i > 0 && (tier.Price.Cmp(p.Tiers[i-1].Price) >= 0 || !last && tier.Upto.Cmp(p.Tiers[i-1].Upto) <= 0) {
				t.Errorf("%s has tiers in no order: %+v", p.ID, p.Tiers)
			}
		}
	}
	if _, err := time.Parse(time.DateOnly, cost.Date); err != nil {
		t.Error(err)
	}
}

func TestRates(t *testing.T) {
	for text, want := range map[string]string{
		"16000/day": "16,000", "1/s": "86,400", "0.5/second": "43,200", "2/min": "2,880", "480000/month": "16,000", "500/hour": "12,000",
	} {
		got, err := cost.ParseRate(text)
		if err != nil || got.Fixed(0) != want {
			t.Errorf("%s is %s a day, want %s: %v", text, got.Fixed(0), want, err)
		}
	}
	for _, text := range []string{"", "16000", "-1/day", "1e9/day", "x/day", "1/year", "1 /day", "1./day", "NaN/day", "1/day\n", strings.Repeat("9", 16) + "/day"} {
		if _, err := cost.ParseRate(text); aloft.ErrorCode(err) != aloft.Invalid {
			t.Errorf("%q is a rate: %v", text, err)
		}
	}
	for _, text := range []string{"", "5", "0/month", "-1/month", "5/year", "5,00/month"} {
		if _, err := cost.ParseBox(text, 2); aloft.ErrorCode(err) != aloft.Invalid {
			t.Errorf("%q is a price: %v", text, err)
		}
	}
}

func TestInvalid(t *testing.T) {
	for what, change := range map[string]func(u *cost.Usage){
		"memory":   func(u *cost.Usage) { u.Memory = 127 },
		"most":     func(u *cost.Usage) { u.Memory = 10241 },
		"duration": func(u *cost.Usage) { u.Duration = aloft.Duration(16 * time.Minute) },
		"negative": func(u *cost.Usage) { u.Requests = cost.Int(-1) },
		"arch":     func(u *cost.Usage) { u.Arch = "riscv" },
		"endpoint": func(u *cost.Usage) { u.Endpoint = "alb" },
		"ready":    func(u *cost.Usage) { u.Provisioned = -1 },
		"size":     func(u *cost.Usage) { u.LogBytes = -1 },
	} {
		if _, err := cost.New(seed(change)); aloft.ErrorCode(err) != aloft.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestAmountText(t *testing.T) {
	third := cost.Int(1).Over(cost.Int(3))
	for got, want := range map[string]string{
		third.Fixed(4): "0.3333", cost.Int(-1234567).Fixed(2): "-1,234,567.00", cost.Int(1000).Short(3): "1,000", cost.Amount{}.Short(2): "0",
		cost.Int(3).Over(cost.Int(2000)).Fixed(3): "0.002", cost.Int(1).Over(cost.Amount{}).Fixed(0): "0",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if b, err := json.Marshal(cost.Int(12345).Over(cost.Int(10))); err != nil || string(b) != "1234.5" {
		t.Errorf("%s, %v", b, err)
	}
}
