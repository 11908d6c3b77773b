package stream

import (
	"context"
	"strconv"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
)

var _ resource.Type = (*Store)(nil)

// The options of a stream.
const (
	shardsOption    = "shards"
	retentionOption = "retention" // hours
)

// Kind implements resource.Type.
func (*Store) Kind() string { return aloft.Stream }

// Check implements resource.Type.
func (*Store) Check(options map[string]string) error {
	if err := resource.Options(aloft.Stream, options, shardsOption, retentionOption); err != nil {
		return err
	}
	if _, err := resource.Number(options, shardsOption, 1, 1, maxShards); err != nil {
		return err
	}
	_, err := hours(options)
	return err
}

func hours(options map[string]string) (int, error) {
	d, err := resource.Period(options, retentionOption, defaultHours*3600, defaultHours*3600, maxHours*3600)
	return d / 3600, err
}

// Provision implements resource.Type. The number of shards cannot change.
func (s *Store) Provision(ctx context.Context, claim resource.Claim) error {
	if err := s.Check(claim.Options); err != nil {
		return err
	}
	shards, _ := resource.Number(claim.Options, shardsOption, 1, 1, maxShards)
	hours, _ := hours(claim.Options)
	owner := resource.OwnerText(claim.Owner)
	err := s.Create(ctx, Stream{Name: claim.Name, Owner: owner, Shards: shards, Hours: hours})
	if aloft.ErrorCode(err) != aloft.Conflict {
		return err
	}
	has, err := s.Stream(ctx, claim.Name)
	switch {
	case err != nil:
		return err
	case has.Owner != owner:
		return resource.Taken(aloft.Stream, claim.Name, has.Owner)
	case has.Shards != shards:
		return aloft.Errorf(aloft.Conflict, "the stream %q has %d shards, and that cannot change to %d", claim.Name, has.Shards, shards).
			WithHint("declare a stream of another name in aloft.yml, or say shards: %s", strconv.Itoa(has.Shards))
	case has.Hours != hours:
		return s.Keep(ctx, claim.Name, hours)
	}
	return nil
}

// Remove implements resource.Type.
func (s *Store) Remove(ctx context.Context, owner aloft.StageRef) error {
	all, err := s.Streams(ctx, resource.OwnerText(owner))
	for _, x := range all {
		if err == nil {
			err = s.Delete(ctx, x.Name)
		}
	}
	return err
}

// CountSizes is for a store that was opened as shared, once its server stays. Until then Size is 0 if nobody counts.
func (s *Store) CountSizes(ctx context.Context) error { return s.db.CountSizes(ctx) }

// Limit makes a quota bound what is put. It is called before the store is used.
func (s *Store) Limit(q *resource.Quota) { s.quota = q }

// Size is how many bytes an owner's streams have, "" for streams that no stage owns.
func (s *Store) Size(ctx context.Context, owner string) (int64, error) {
	return s.db.Size(ctx, `SELECT COALESCE(SUM(bytes), 0) FROM sizes JOIN streams ON name = stream WHERE owner = ?`, owner)
}

// List implements resource.Type.
func (s *Store) List(ctx context.Context, owner aloft.StageRef) ([]aloft.ResourceStatus, error) {
	all, err := s.Streams(ctx, resource.OwnerText(owner))
	list := make([]aloft.ResourceStatus, 0, len(all))
	for _, x := range all {
		var records int64
		row := s.db.Reader().QueryRowContext(ctx, `SELECT COUNT(*) FROM records WHERE stream = ? AND at >= ?`, x.Name, x.oldest())
		if err := row.Scan(&records); err != nil {
			return nil, err
		}
		size, err := s.db.Size(ctx, `SELECT COALESCE(SUM(bytes), 0) FROM sizes WHERE stream = ?`, x.Name)
		if err != nil {
			return nil, err
		}
		list = append(list, aloft.ResourceStatus{
			Type: aloft.Stream, Name: x.Name, ARN: resource.ARN(aloft.Stream, x.Name),
			Counts: []aloft.ResourceCount{{What: "records", N: records}, {What: "shards", N: int64(x.Shards)}, {What: aloft.Bytes, N: size}},
		})
	}
	return list, err
}
