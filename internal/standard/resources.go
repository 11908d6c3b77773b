package standard

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lineage"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/resource/bucket"
	"github.com/aloft-run/aloft/internal/resource/queue"
	"github.com/aloft-run/aloft/internal/resource/stream"
	"github.com/aloft-run/aloft/internal/resource/topic"
)

// Resources are the kinds of resources, open. Close must be called at the end.
type Resources struct {
	Buckets *bucket.Store
	Queues  *queue.Store
	Topics  *topic.Store
	Streams *stream.Store
	Disk    *resource.Disk // on which they lie

	stop context.CancelFunc
	work sync.WaitGroup
}

// ResourceOptions say which resources to open. Dir and Logger are needed.
type ResourceOptions struct {
	Dir    string // below which they lie; made if there is nothing
	Shared bool   // another process may have it open now
	Most   int64  // bytes that the resources of a stage hold; 0 means resource.DefaultMost
	Logger *slog.Logger
}

// OpenResources opens resources. What topics pass on to queues is passed on from then on.
func OpenResources(ctx context.Context, options ResourceOptions) (r *Resources, err error) {
	r = &Resources{stop: func() {}, Disk: resource.NewDisk(resource.FreeOn(options.Dir))}
	dir, shared := options.Dir, options.Shared
	if r.Buckets, err = bucket.Open(ctx, dir, shared); err == nil {
		if r.Queues, err = queue.Open(ctx, dir, shared); err == nil {
			if r.Topics, err = topic.Open(ctx, dir, shared); err == nil {
				r.Streams, err = stream.Open(ctx, dir, shared)
			}
		}
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	r.Topics.Logger = options.Logger
	r.limit(cmp.Or(options.Most, resource.DefaultMost))
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	r.work.Go(func() {
		for ctx.Err() == nil {
			if err := r.Topics.Deliver(ctx, topic.ToQueue, r.toQueue); err != nil {
				options.Logger.Error("topics pass nothing on to queues", "error", err)
			}
		}
	})
	return r, nil
}

// kind is what has a size.
type kind interface {
	Size(ctx context.Context, owner string) (int64, error)
	CountSizes(ctx context.Context) error
	Limit(q *resource.Quota)
}

func (r *Resources) kinds() []kind { return []kind{r.Buckets, r.Queues, r.Topics, r.Streams} }

// CountSizes counts what resources hold that were opened as Shared, once the server stays, unless that was done before. Until
// then they may hold any number of bytes.
func (r *Resources) CountSizes(ctx context.Context) error {
	var errs []error
	for _, k := range r.kinds() {
		errs = append(errs, k.CountSizes(ctx))
	}
	return errors.Join(errs...)
}

// limit bounds what the resources of each stage hold together.
func (r *Resources) limit(most int64) {
	kinds := r.kinds()
	q := resource.NewQuota(resource.QuotaOptions{Most: most, Disk: r.Disk, Size: func(ctx context.Context, owner string) (size int64, err error) {
		for _, k := range kinds {
			n, err := k.Size(ctx, owner)
			if err != nil {
				return 0, err
			}
			size += n
		}
		return size, nil
	}})
	for _, k := range kinds {
		k.Limit(q)
	}
}

// Set is all of them.
func (r *Resources) Set() resource.Set {
	return resource.Set{Types: []resource.Type{r.Buckets, r.Queues, r.Topics, r.Streams}}
}

// Close ends all use of them.
func (r *Resources) Close() error {
	r.stop()
	r.work.Wait()
	var errs []error
	if r.Streams != nil {
		errs = append(errs, r.Streams.Close())
	}
	if r.Topics != nil {
		errs = append(errs, r.Topics.Close())
	}
	if r.Queues != nil {
		errs = append(errs, r.Queues.Close())
	}
	if r.Buckets != nil {
		errs = append(errs, r.Buckets.Close())
	}
	return errors.Join(errs...)
}

// Send sends a message to a queue, or publishes it to a topic, of a physical name. It returns NotFound if there is none.
func (r *Resources) Send(ctx context.Context, kind, name string, body []byte) error {
	var err error
	if kind == aloft.Topic {
		_, err = r.Topics.Publish(ctx, name, topic.Message{Body: string(body)})
	} else {
		_, err = r.Queues.Send(ctx, name, queue.Send{Body: string(body)})
	}
	return err
}

// toQueue sends a topic's message to a queue. One for a queue that is gone, or that the queue does not take, is dropped.
func (r *Resources) toQueue(ctx context.Context, d topic.Delivery) error {
	m := queue.Send{Body: d.Body, Group: d.Group, Dedup: d.Dedup}
	if !d.Raw {
		text, err := d.Envelope()
		if err != nil {
			return err
		}
		m.Body = string(text)
	} else if m.Attributes = map[string]queue.Value{}; len(d.Attributes) > 0 {
		for name, v := range d.Attributes {
			m.Attributes[name] = value(v)
		}
	}
	_, err := r.Queues.Send(lineage.With(ctx, d.Trace), d.Endpoint[strings.LastIndexByte(d.Endpoint, ':')+1:], m)
	if code := aloft.ErrorCode(err); code == aloft.NotFound || code == aloft.Invalid {
		return nil
	}
	return err
}

func value(v topic.Value) queue.Value {
	if v.Binary != nil {
		return queue.Value{DataType: v.Type, BinaryValue: v.Binary}
	}
	return queue.Value{DataType: v.Type, StringValue: &v.Text}
}
