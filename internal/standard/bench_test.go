package standard_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aloft-run/aloft/internal/resource/queue"
	"github.com/aloft-run/aloft/internal/resource/stream"
	"github.com/aloft-run/aloft/internal/resource/topic"
	"github.com/aloft-run/aloft/internal/standard"
)

// BenchmarkResources measures what is acknowledged, and so on the disk, per second.
func BenchmarkResources(b *testing.B) {
	all, err := standard.OpenResources(b.Context(), standard.ResourceOptions{Dir: b.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = all.Close() })
	ctx := b.Context()
	_ = all.Buckets.Create(ctx, "pictures", "")
	_, _ = all.Queues.Create(ctx, queue.Queue{Name: "jobs"})
	_, _ = all.Topics.Create(ctx, topic.Topic{Name: "orders"})
	_ = all.Streams.Create(ctx, stream.Stream{Name: "clicks", Shards: 1})
	picture, n := bytes.Repeat([]byte("x"), 10<<10), atomic.Int64{}
	for _, what := range []struct {
		name string
		do   func() error
	}{
		{"put object of 10 kB", func() error {
			_, err := all.Buckets.Put(ctx, "pictures", strconv.FormatInt(n.Add(1), 10), nil, bytes.NewReader(picture), nil)
			return err
		}},
		{"send message", func() error { _, err := all.Queues.Send(ctx, "jobs", queue.Send{Body: "x"}); return err }},
		{"publish", func() error { _, err := all.Topics.Publish(ctx, "orders", topic.Message{Body: "x"}); return err }},
		{"put record", func() error {
			_, err := all.Streams.Put(ctx, "clicks", []stream.Entry{{Key: "k", Data: []byte("x")}})
			return err
		}},
	} {
		for _, clients := range []int{1, 32} {
			b.Run(fmt.Sprintf("%s/%d", strings.ReplaceAll(what.name, " ", "_"), clients), func(b *testing.B) {
				b.SetParallelism(max(1, clients/2))
				if clients == 1 {
					for b.Loop() {
						if err := what.do(); err != nil {
							b.Fatal(err)
						}
					}
					return
				}
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := what.do(); err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
	}
}
