package stream

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
)

// reader reads one shard for one function.
type reader struct {
	*source

	mapping       *eventsource.Mapping
	invoker       aloft.Invoker
	stream, shard string
	after         string // the sequence number up to which it is done
}

func (r *reader) run(ctx context.Context) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	for {
		records, through, err := r.gather(ctx)
		if err != nil || ctx.Err() != nil {
			return err
		}
		if err := r.work(ctx, records, 0); err != nil || ctx.Err() != nil {
			return err
		}
		if err := r.pass(ctx, through); err != nil {
			return err
		}
	}
}

// begin finds where to go on, or to begin: it is noted, so that nothing is left out if the server ends before the first record.
func (r *reader) begin(ctx context.Context) (err error) {
	r.after, err = r.streams.Position(ctx, r.stream, r.shard, r.mapping.Reader())
	if err != nil || r.after != "" || r.oldest {
		return err
	}
	since := r.since
	if since.IsZero() {
		since = r.mapping.From
	}
	for {
		records, err := r.streams.Read(ctx, r.stream, r.shard, r.after, mostInBatch)
		if err != nil {
			return err
		}
		for _, record := range records {
			if !record.At.Before(since) {
				return r.note(ctx, r.after)
			}
			r.after = record.Sequence
		}
		if len(records) == 0 {
			return r.note(ctx, r.after)
		}
	}
}

// note notes how far the function has come. It does so after the end of ctx too.
func (r *reader) note(ctx context.Context, sequence string) error {
	r.after = sequence
	return r.streams.SetPosition(context.WithoutCancel(ctx), r.stream, r.shard, r.mapping.Reader(), sequence)
}

// gather waits for records for the function, and with a window until it is over or the batch is full. Through is the sequence
// number up to which nothing else is for it.
func (r *reader) gather(ctx context.Context) (batch []Record, through string, err error) {
	var end time.Time
	through = r.after
	for ctx.Err() == nil {
		changed := r.streams.Changed()
		most := r.batch - len(batch)
		got, err := r.streams.Read(ctx, r.stream, r.shard, through, most)
		if err != nil {
			return nil, "", err
		}
		if len(got) > 0 {
			through = got[len(got)-1].Sequence
			batch = append(batch, r.wanted(got)...)
		}
		if fit := fitting(batch); len(fit) < len(batch) {
			return fit, fit[len(fit)-1].Sequence, nil
		}
		wait := lookTime
		if len(batch) > 0 {
			if end.IsZero() {
				end = time.Now().Add(r.window)
			}
			if wait = min(wait, time.Until(end)); wait <= 0 || len(batch) == r.batch || size(batch) > eventsource.MaxBatch/2 {
				return batch, through, nil
			}
		} else if err := r.pass(ctx, through); err != nil {
			return nil, "", err
		}
		if len(got) < most { // else there may be more
			await(ctx, changed, wait)
		}
	}
	return nil, "", nil // what has come comes again
}

// await waits for a change, at most so long, and not longer than ctx.
func await(ctx context.Context, changed <-chan struct{}, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// pass notes that nothing up to a sequence number is for the function any more.
func (r *reader) pass(ctx context.Context, through string) error {
	if through == r.after {
		return nil
	}
	return r.note(ctx, through)
}

// wanted are the records that the filter lets through.
func (r *reader) wanted(records []Record) []Record {
	return slices.DeleteFunc(records, func(one Record) bool {
		return !r.filter.Lets(func() any { return recordOf(r.stream, r.shard, one) }, one.Data)
	})
}

// fitting are the first records whose event is no larger than an event may be.
func fitting(records []Record) []Record {
	for n := range records {
		if n > 0 && size(records[:n+1]) > eventsource.MaxBatch {
			return records[:n]
		}
	}
	return records
}

// size is about how long the event of records is.
func size(records []Record) (n int) {
	const around = 512 // what the event says besides
	for _, record := range records {
		n += len(record.Data)*4/3 + len(record.Key) + around
	}
	return n
}

// work has the function work on records until it has, or they are given up. Only then come those after them.
func (r *reader) work(ctx context.Context, records []Record, tried int) error {
	pause := firstPause
	for len(records) > 0 && ctx.Err() == nil {
		done, took, why := r.attempt(ctx, records)
		if done > 0 {
			if err := r.note(ctx, records[done-1].Sequence); err != nil {
				return err
			}
			records, tried, pause = records[done:], 0, firstPause
		}
		switch {
		case why == nil:
		case took && r.bisect && done == 0 && len(records) > 1: // which counts as no attempt
			half := len(records) / 2
			if err := r.work(ctx, records[:half], tried); err != nil {
				return err
			}
			records, tried = records[half:], 0
		case took && r.retries >= 0 && tried >= r.retries:
			r.giveUp(records, why)
			return r.note(ctx, records[len(records)-1].Sequence)
		default:
			if took {
				tried++
			}
			sleep(ctx, pause)
			pause = min(2*pause, lastPause)
		}
	}
	return nil
}

// attempt returns how many of the first records are done with: those that are too old, else those that the function has worked
// on. An error says what it failed at, or, unless took, that it takes none for now.
func (r *reader) attempt(ctx context.Context, records []Record) (done int, took bool, why error) {
	if old := r.tooOld(records); old > 0 {
		r.giveUp(records[:old], fmt.Errorf("they are older than %s", r.age))
		return old, false, nil
	}
	done, took, why = r.invoke(ctx, records)
	if done > 0 {
		r.mapping.Worked(done)
	}
	if why != nil {
		r.mapping.Fails(len(records)-done, why)
	}
	return done, took, why
}

// invoke returns how many of the first records the function has worked on. An error says what it failed at, or, unless took,
// that it takes none for now.
func (r *reader) invoke(ctx context.Context, records []Record) (done int, took bool, why error) {
	ids := make([]string, len(records))
	for i, record := range records {
		ids[i] = record.Sequence
	}
	invoked, err := r.invoker.Invoke(context.WithoutCancel(ctx), r.mapping.Input(r.source, event(r.stream, r.shard, records)))
	if err != nil {
		return 0, false, err
	}
	failed, why := r.mapping.Failed(invoked, ids)
	for i, id := range ids {
		if failed[id] {
			return i, true, why
		}
	}
	return len(records), true, nil
}

// tooOld is how many of the first records are too old to be tried.
func (r *reader) tooOld(records []Record) int {
	n := 0
	for r.age > 0 && n < len(records) && time.Since(records[n].At) > r.age {
		n++
	}
	return n
}

func (r *reader) giveUp(records []Record, why error) {
	r.mapping.Fails(0, fmt.Errorf("%d records of %s from %s are given up: %w", len(records), r.shard, records[0].Sequence, why))
}

// sleep sleeps, not longer than ctx.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
