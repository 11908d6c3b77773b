package s3

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aloft-run/aloft"
)

// terms are how long a lock lives after its last renewal, how much longer others leave it alone, as S3 counts whole seconds, how
// often they look at it, and the clock that goes on while a machine sleeps.
type terms struct {
	life, grace, poll time.Duration
	wall              func() time.Time
}

func defaultTerms() terms {
	return terms{life: time.Minute, grace: 2 * time.Second, poll: 2 * time.Second, wall: time.Now}
}

// lock is the object of a lock. It is alive while S3 says that it was written less than Life ago.
type lock struct {
	head
	Token string         `json:"token"` // random, of the holder
	Owner string         `json:"owner"`
	Since time.Time      `json:"since"` // by the holder's clock, for people only
	Life  aloft.Duration `json:"life"`
}

func lockKey(ref aloft.StageRef) string {
	return fmt.Sprintf("state/locks/%s/%s.json", ref.App, ref.Stage)
}

// Holder is who holds a lock.
type Holder struct {
	Owner string
	Since time.Time
}

// String is for people.
func (h Holder) String() string { return h.Owner + " since " + h.Since.UTC().Format("15:04:05 UTC") }

// Lock makes the caller the only one, in all processes that use the bucket, who changes the stage. It waits for who does, and
// says so once. Held ends, with the reason as its cause, if the lock is lost: someone broke it, or S3 did not answer for so long
// that others may take it. It also ends with unlock, which must be called and works after ctx has ended.
func (s *Store) Lock(ctx context.Context, ref aloft.StageRef, report aloft.Reporter) (held context.Context, unlock func(), err error) {
	key := lockKey(ref)
	doc := lock{
		head: head{Format: format, Key: key}, Token: rand.Text(), Owner: s.owner, Since: instant(time.Now()), Life: aloft.Duration(s.terms.life),
	}
	data, err := encode(doc)
	if err != nil {
		return nil, nil, err
	}
	mine := &lease{bucket: s.bucket, terms: s.terms, ref: ref, key: key, token: doc.Token, data: data, report: report}
	if err := s.await(ctx, mine); err != nil {
		return nil, nil, s.bucket.final("lock stage "+ref.String(), key, err)
	}
	held, release := mine.hold(ctx)
	forget := s.bucket.memory.hold(ref, held.Err)
	return held, func() { forget(); release() }, nil
}

// await returns once the lease is taken.
func (s *Store) await(ctx context.Context, mine *lease) error {
	told, unknown := false, 0
	for races := 0; ; races++ {
		other, err := mine.try(ctx)
		_, lost := errors.AsType[unsure](err)
		switch {
		case errors.Is(err, errRaced) && races < maxRaces, lost && unknown < maxUnsure:
			if lost {
				unknown++
			}
			if err := pause(ctx, races+1); err != nil {
				return s.bucket.fail(ctx, "lock", mine.key, err)
			}
			continue
		case err != nil || other == nil:
			return err
		}
		if !told {
			holder := Holder{other.Owner, other.Since}
			mine.report.Report(aloft.Notice{Text: fmt.Sprintf("%s changes %s; waiting for it (aloft unlock ends its work)", holder, mine.ref)})
		}
		told, races, unknown = true, 0, 0
		select {
		case <-time.After(s.terms.poll):
		case <-ctx.Done():
			return s.bucket.fail(ctx, "lock", mine.key, ctx.Err())
		}
	}
}

// Holder says who holds the lock of a stage. It returns NotFound if nobody does, or if who did has not renewed it.
func (s *Store) Holder(ctx context.Context, ref aloft.StageRef) (Holder, error) {
	key, doc := lockKey(ref), lock{}
	found, err := load(ctx, s.bucket, key, &doc)
	if errors.Is(err, errMissing) || err == nil && found.now.Sub(found.modified) > time.Duration(doc.Life)+s.terms.grace {
		return Holder{}, nobodyHolds(ref)
	}
	return Holder{doc.Owner, doc.Since}, s.bucket.final("look at the lock of "+ref.String(), key, err)
}

func nobodyHolds(ref aloft.StageRef) error {
	return aloft.Errorf(aloft.NotFound, "nobody holds the lock of %s", ref)
}

// Break takes the lock of a stage from whoever holds it, and says who that was. The holder's work ends at its next renewal, in
// less than half a minute. It returns NotFound if nobody holds it.
func (s *Store) Break(ctx context.Context, ref aloft.StageRef) (Holder, error) {
	key, token := lockKey(ref), ""
	for races := range maxRaces {
		doc := lock{}
		found, err := s.bucket.read(ctx, key)
		if err == nil {
			_ = json.Unmarshal(found.data, &doc) // one that is damaged is broken, too
		}
		if errors.Is(err, errMissing) || races > 0 && doc.Token != token { // its work ended, another's is not what was meant
			return Holder{}, nobodyHolds(ref)
		}
		token = doc.Token
		if err == nil {
			err = s.bucket.remove(ctx, key, found.etag)
		}
		if !errors.Is(err, errRaced) { // else it was renewed
			return Holder{doc.Owner, doc.Since}, s.bucket.final("break the lock of "+ref.String(), key, err)
		}
	}
	return Holder{}, s.bucket.final("break the lock of "+ref.String(), key, errRaced)
}
