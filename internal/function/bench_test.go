package function_test

import (
	"testing"

	"github.com/aloft-run/aloft/internal/function"
)

// BenchmarkGate is what every request pays before it reaches an instance: Acquire and End.
func BenchmarkGate(b *testing.B) {
	for name, limit := range map[string]int{"no limit": 0, "limit": 1 << 20} {
		b.Run(name, func(b *testing.B) {
			options := web(&fakeEngine{make: func(int) (*fakeBox, error) { return &fakeBox{}, nil }})
			options.Function.Instances, options.Function.Concurrency = 2, limit
			p, g := function.NewPool(options), function.NewGate()
			if err := p.Start(b.Context(), func() {}); err != nil {
				b.Fatal(err)
			}
			defer p.Kill()
			g.Use(p)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					u, err := g.Acquire(b.Context())
					if err != nil {
						b.Error(err)
						return
					}
					u.End()
				}
			})
		})
	}
}
