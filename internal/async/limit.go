package async

import (
	"context"
	"time"

	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

// What is kept of dead letters: as long as the longest retention of a queue of SQS, and per stage so many bytes, the newest.
const (
	deadAge   = 14 * 24 * time.Hour
	deadBytes = 256 << 20
	deadPause = 10 * time.Minute // between looks
)

// keepDeadFew removes dead letters that are too old or too many until ctx ends.
func (q *Queue) keepDeadFew(ctx context.Context, store *messages.Store) {
	for ctx.Err() == nil {
		if err := q.removeDead(ctx, store); err != nil && ctx.Err() == nil {
			q.Logger.Error("remove old dead letters", "error", err)
		}
		pause(ctx, deadPause)
	}
}

func (q *Queue) removeDead(ctx context.Context, store *messages.Store) error {
	from, before := messages.Below(dead)
	all, err := store.Queues(ctx, from, before)
	if err != nil {
		return err
	}
	for queue := range all {
		old, err := store.Expire(ctx, queue, time.Now().Add(-deadAge))
		if err != nil {
			return err
		}
		many, err := store.Trim(ctx, queue, q.deadBytes)
		if err != nil {
			return err
		}
		if old+many > 0 {
			q.Logger.Warn("dead letters are removed", "stage", parse(queue).ref.String(), "too old", old, "too many", many)
		}
	}
	return nil
}
