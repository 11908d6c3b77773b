package cost_test

import (
	"testing"

	"github.com/aloft-run/aloft/internal/cost"
)

func TestLoadBalancer(t *testing.T) {
	of := func(change func(u *cost.Usage)) cost.LoadBalancer {
		c, err := cost.Compare(seed(change), cost.DefaultBox())
		if err != nil {
			t.Fatal(err)
		}
		return c.Balancer
	}
	b := of(nil) // 16,000 ÷ 86,400 ÷ 25 LCU; 720 × 0.0225 + 720 × LCU × 0.008
	same(t, "LCU by connections", b.Units, 6, "0.007407")
	same(t, "a month", b.Month, 4, "16.2427")
	same(t, "a day", b.Day, 4, "0.5414")
	b = of(func(u *cost.Usage) { u.RequestBytes, u.ResponseBytes = 1<<20, 5<<20 }) // 16,000 × 6 ÷ 1024 ÷ 24 GB an hour
	same(t, "LCU by bytes", b.Units, 4, "3.9063")
	b = of(func(u *cost.Usage) { u.Requests, u.Events = cost.Amount{}, cost.Int(16000) }) // which pass it by
	same(t, "of events alone", b.Month, 4, "16.2000")
}
