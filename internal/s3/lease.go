package s3

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
)

// lease is a lock as its holder has it.
type lease struct {
	bucket *Bucket
	terms  terms
	ref    aloft.StageRef
	key    string
	token  string
	data   []byte // the object, the same at each renewal
	report aloft.Reporter

	etag  string
	until moment // others may take it from then on
	lost  bool
}

// try takes the lock if it is free or its holder has not renewed it. Else it returns what the holder wrote.
func (l *lease) try(ctx context.Context) (other *lock, err error) {
	err = l.put(ctx, "")
	if !errors.Is(err, errRaced) {
		return nil, err
	}
	start, other := l.terms.now(), &lock{}
	found, err := load(ctx, l.bucket, l.key, other)
	switch {
	case errors.Is(err, errMissing): // released meanwhile
		return nil, errRaced
	case err != nil:
		return nil, err
	case other.Token == l.token: // a write of ours whose answer was lost
		l.etag, l.until = found.etag, start.add(l.terms.life-found.now.Sub(found.modified))
		return nil, nil
	case found.now.Sub(found.modified) > time.Duration(other.Life)+l.terms.grace:
		return nil, l.put(ctx, found.etag)
	}
	return other, nil
}

// put writes the object in place of that of an ETag.
func (l *lease) put(ctx context.Context, etag string) error {
	start := l.terms.now()
	made, err := l.bucket.write(ctx, l.key, l.data, etag)
	if err == nil {
		l.etag, l.until = made.etag, start.add(l.terms.life)
	}
	return err
}

// hold renews the lock until unlock is called or it is lost.
func (l *lease) hold(ctx context.Context) (held context.Context, unlock func()) {
	held, cancel := context.WithCancelCause(ctx)
	// An end of ctx ends the work, but not the lock before the work says so.
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := l.renew(renewing); err != nil {
			l.lost = true
			cancel(err)
		}
	}()
	return held, sync.OnceFunc(func() {
		stop()
		<-done
		l.release(context.WithoutCancel(ctx))
		cancel(context.Canceled)
	})
}

// renew returns nil when ctx ends, and the reason when the lock is lost.
func (l *lease) renew(ctx context.Context) error {
	var why error // the first failure since the last renewal
	for due := l.due(); l.terms.slept(ctx, due); {
		end := l.until.add(-l.terms.life / 6) // what the work does last takes time
		err := l.again(ctx, end)
		switch {
		case err == nil:
			why, due = nil, l.due()
		case errors.Is(err, errRaced):
			return aloft.Errorf(aloft.Conflict, "the lock of %s was taken by someone else", l.ref).
				WithHint("see what became of the stage (aloft releases), then run the same command again")
		case l.terms.passed(end):
			return aloft.Errorf(aloft.Unavailable, "the lock of %s could not be renewed: %w", l.ref, l.bucket.final("renew the lock", l.key, cmp.Or(why, err))).
				WithHint("run the same command again when the network is back")
		default:
			why, due = cmp.Or(why, err), l.terms.now().add(min(l.terms.life/12, time.Until(end.awake)))
		}
	}
	return nil
}

// due is when to renew.
func (l *lease) due() moment { return l.until.add(-l.terms.life * 2 / 3) }

// moment is one by both clocks of this machine. The monotonic one stands still while a machine sleeps, and a lock may be
// another's when it wakes up.
type moment struct{ awake, wall time.Time }

func (t terms) now() moment { return moment{time.Now(), t.wall().Round(0)} }

func (m moment) add(length time.Duration) moment {
	return moment{m.awake.Add(length), m.wall.Add(length)}
}

// passed reports whether a moment is over by one of the clocks.
func (t terms) passed(end moment) bool {
	now := t.now()
	return !now.awake.Before(end.awake) || !now.wall.Before(end.wall)
}

// slept waits until a moment, and reports false if ctx ended first. It looks at the clocks each second, as the machine may have slept longer.
func (t terms) slept(ctx context.Context, end moment) bool {
	for !t.passed(end) {
		timer := time.NewTimer(min(time.Second, max(0, time.Until(end.awake))))
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
	}
	return ctx.Err() == nil
}

// again renews the lock once, until end at the latest. After end, as the machine slept, there is one short try. It returns errRaced
// if the lock is another's.
func (l *lease) again(ctx context.Context, end moment) error {
	now := l.terms.now()
	limit := min(end.awake.Sub(now.awake), end.wall.Sub(now.wall))
	if limit <= 0 {
		limit = l.terms.life / 6
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := l.put(ctx, l.etag)
	if !errors.Is(err, errRaced) {
		return err
	}
	etag, err := l.own(ctx)
	if err != nil {
		return err
	}
	return l.put(ctx, etag) // the answer to a renewal before was lost
}

// own returns the ETag of the object if it still is this lease's, else errRaced.
func (l *lease) own(ctx context.Context) (etag string, err error) {
	found, err := load(ctx, l.bucket, l.key, &lock{})
	if errors.Is(err, errMissing) || err == nil && !bytes.Equal(found.data, l.data) {
		return "", errRaced
	}
	return found.etag, err
}

// releaseLimit bounds the last request of a command that may have been interrupted.
const releaseLimit = 10 * time.Second

// release deletes the object if it still is this lease's.
func (l *lease) release(ctx context.Context) {
	if l.lost {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, releaseLimit)
	defer cancel()
	err := l.bucket.remove(ctx, l.key, l.etag)
	if errors.Is(err, errRaced) { // the answer to the last renewal was lost, or it is another's
		if etag, lost := l.own(ctx); lost == nil {
			err = l.bucket.remove(ctx, l.key, etag)
		}
	}
	if err != nil && !errors.Is(err, errRaced) {
		l.report.Report(aloft.Warning{Text: "the lock of " + l.ref.String() + " could not be released; it ends by itself within a minute: " + err.Error()})
	}
}
