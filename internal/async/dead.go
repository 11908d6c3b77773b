package async

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

// letter is what is kept beside the payload of a dead letter.
type letter struct {
	envelope

	Function string          `json:"function"`
	Event    time.Time       `json:"event"` // when it was accepted
	Response json.RawMessage `json:"response,omitempty"`
}

// maxResponse bounds the answer that is kept of a function that failed, in bytes.
const maxResponse = 16 << 10

func (w *worker) deadLetter(m messages.Message, e envelope, got aloft.Invoked) messages.Change {
	l := letter{envelope: e, Function: w.lane.name, Event: m.Enqueued.UTC()}
	if len(got.Payload) > 0 && len(got.Payload) <= maxResponse {
		l.Response = asJSON(got.Payload)
	}
	attributes, err := json.Marshal(l)
	if err != nil { // asJSON has seen to that
		attributes = e.bytes()
	}
	return messages.Put{Queue: below(dead, w.lane.ref), ID: m.ID, Body: m.Body, Attributes: attributes}
}

// stage returns the store if there is such a stage.
func (q *Queue) stage(ctx context.Context, ref aloft.StageRef) (*messages.Store, error) {
	if err := q.Stage(ctx, ref); err != nil {
		return nil, err
	}
	return q.current()
}

// found is a dead letter with where it lies.
type found struct {
	aloft.DeadLetter

	envelope envelope
	sequence int64
}

// all lists the dead letters of a stage without their payloads, the oldest first, at most limit (0: all).
func (q *Queue) all(ctx context.Context, ref aloft.StageRef, limit int) ([]found, *messages.Store, error) {
	store, err := q.stage(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	if limit == 0 {
		limit = math.MaxInt
	}
	list, err := store.List(ctx, below(dead, ref), 0, limit)
	if err != nil {
		return nil, nil, err
	}
	letters := make([]found, len(list))
	for i, m := range list {
		var l letter
		if err := json.Unmarshal(m.Attributes, &l); err != nil {
			return nil, nil, fmt.Errorf("dead letter %s: %w", m.ID, err)
		}
		letters[i] = found{envelope: l.envelope, sequence: m.Sequence, DeadLetter: aloft.DeadLetter{
			ID: m.ID, Stage: ref, Function: l.Function, Error: l.Error, Attempts: l.Attempts, Event: l.Event, Dead: m.Enqueued.UTC(),
			Response: l.Response,
		}}
	}
	return letters, store, nil
}

// DeadLetters implements aloft.AsyncService.
func (q *Queue) DeadLetters(ctx context.Context, ref aloft.StageRef, limit int) ([]aloft.DeadLetter, error) {
	all, _, err := q.all(ctx, ref, limit)
	letters := make([]aloft.DeadLetter, len(all))
	for i, f := range all {
		letters[i] = f.DeadLetter
		letters[i].Response = nil
	}
	return letters, err
}

// DeadLetter implements aloft.AsyncService.
func (q *Queue) DeadLetter(ctx context.Context, ref aloft.StageRef, id string) (aloft.DeadLetter, error) {
	chosen, store, err := q.choose(ctx, ref, []string{id})
	if err != nil {
		return aloft.DeadLetter{}, err
	}
	one := chosen[0]
	whole, err := store.Peek(ctx, below(dead, ref), one.sequence-1, 1)
	if err != nil || len(whole) == 0 || whole[0].Sequence != one.sequence {
		return aloft.DeadLetter{}, errors.Join(err, aloft.Errorf(aloft.NotFound, "the dead letter %q is gone", id))
	}
	one.Payload = asJSON(whole[0].Body)
	return one.DeadLetter, nil
}

// choose returns the dead letters with the given ids, all if there are none.
func (q *Queue) choose(ctx context.Context, ref aloft.StageRef, ids []string) ([]found, *messages.Store, error) {
	all, store, err := q.all(ctx, ref, 0)
	if err != nil || len(ids) == 0 {
		return all, store, err
	}
	var chosen []found
	for _, id := range ids {
		n := len(chosen)
		for _, f := range all {
			if f.ID == id && !slices.ContainsFunc(chosen, func(c found) bool { return c.sequence == f.sequence }) {
				chosen = append(chosen, f)
			}
		}
		if len(chosen) == n && !slices.ContainsFunc(chosen, func(c found) bool { return c.ID == id }) {
			return nil, nil, aloft.Errorf(aloft.NotFound, "%s has no dead letter %q", ref, id).WithHint("aloft dead-letters lists them")
		}
	}
	return chosen, store, nil
}

// Replay implements aloft.AsyncService.
func (q *Queue) Replay(ctx context.Context, ref aloft.StageRef, ids []string) (int, error) {
	chosen, store, err := q.choose(ctx, ref, ids)
	if err != nil {
		return 0, err
	}
	for _, f := range chosen {
		if _, err := q.worker(ctx, lane{ref: ref, name: f.Function}); err != nil {
			return 0, err
		}
	}
	for i, f := range chosen {
		w, err := q.worker(ctx, lane{ref: ref, name: f.Function})
		if err != nil {
			return i, err
		}
		again := f.envelope
		again.Attempts, again.Error, again.Hops, again.Trace = 0, "", 0, ""
		if err := store.Apply(ctx, messages.Requeue{Sequence: f.sequence, To: w.lane.queue(), Attributes: again.bytes()}); err != nil {
			return i, err
		}
		w.pending.Add(1)
	}
	return len(chosen), nil
}

// RemoveDeadLetters implements aloft.AsyncService.
func (q *Queue) RemoveDeadLetters(ctx context.Context, ref aloft.StageRef, ids []string) (int, error) {
	chosen, store, err := q.choose(ctx, ref, ids)
	if err != nil {
		return 0, err
	}
	const step = 500
	for some := range slices.Chunk(chosen, step) {
		changes := make([]messages.Change, len(some))
		for i, f := range some {
			changes[i] = messages.Remove{Sequence: f.sequence}
		}
		if err := store.Apply(ctx, changes...); err != nil {
			return 0, err
		}
	}
	return len(chosen), nil
}

// Pending implements aloft.AsyncService.
func (q *Queue) Pending(ctx context.Context, ref aloft.StageRef) (map[string]int, error) {
	store, err := q.stage(ctx, ref)
	if err != nil {
		return nil, err
	}
	queues, err := q.queuesOf(ctx, store, ref)
	pending := map[string]int{}
	for queue, c := range queues {
		pending[parse(queue).name] = c.Ready + c.Delayed + c.Claimed
	}
	return pending, err
}

// Waiting is how many bytes wait for the functions of a stage, "app/stage".
func (q *Queue) Waiting(ctx context.Context, stage string) (int64, error) {
	store, err := q.current()
	if err != nil {
		return 0, err
	}
	return store.SizeBelow(ctx, waiting+stage+"/")
}
