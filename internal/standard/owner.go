package standard

import (
	"context"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/resource"
)

// Owner is who has a resource of a physical name, "app/stage", or "" for one that was made through the API. It returns NotFound if
// there is none.
func (r *Resources) Owner(ctx context.Context, kind, name string) (string, error) {
	switch kind {
	case aloft.Bucket:
		return r.Buckets.Owner(ctx, name)
	case aloft.Queue:
		q, err := r.Queues.Queue(ctx, name)
		return q.Owner, err
	case aloft.Topic:
		t, err := r.Topics.Topic(ctx, name)
		return t.Owner, err
	case aloft.Stream:
		x, err := r.Streams.Stream(ctx, name)
		return x.Owner, err
	}
	return "", aloft.Errorf(aloft.NotFound, "there is no type of resource %q", kind)
}

// Allowed says which sources a stage may name: its own, those that belong to nobody, and what does not exist yet. It returns
// Invalid for the resource of another stage, which has secrets of its own.
func (r *Resources) Allowed(sources eventsource.Set) func(ctx context.Context, ref aloft.StageRef, source string) error {
	return func(ctx context.Context, ref aloft.StageRef, source string) error {
		kind, name, ok := sources.Named(source)
		if !ok {
			return nil
		}
		owner, err := r.Owner(ctx, kind, name)
		switch {
		case aloft.ErrorCode(err) == aloft.NotFound:
			return nil
		case err != nil:
			return err
		case owner == "" || owner == resource.OwnerText(ref):
			return nil
		}
		return aloft.Errorf(aloft.Invalid, "the event source %s: the %s %s belongs to %s, and not to %s", source, kind, name, owner, ref).
			WithHint("declare a %s of this app, or connect the two with the server's key: eval \"$(aloft credentials aws)\", then aws lambda create-event-source-mapping or aws sns subscribe", kind)
	}
}
