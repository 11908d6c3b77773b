package bucket

import (
	"context"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
)

var _ resource.Type = (*Store)(nil)

// Kind implements resource.Type.
func (*Store) Kind() string { return aloft.Bucket }

// Check implements resource.Type: buckets have no options.
func (*Store) Check(options map[string]string) error {
	return resource.Options(aloft.Bucket, options)
}

// Provision implements resource.Type.
func (s *Store) Provision(ctx context.Context, claim resource.Claim) error {
	owner := resource.OwnerText(claim.Owner)
	made, err := s.ensure(ctx, claim.Name, owner)
	if err != nil || made {
		return err
	}
	has, err := s.Owner(ctx, claim.Name)
	if err != nil {
		return err
	}
	if has != owner {
		return resource.Taken(aloft.Bucket, claim.Name, has)
	}
	return nil
}

// Remove implements resource.Type.
func (s *Store) Remove(ctx context.Context, owner aloft.StageRef) error {
	all, err := s.Buckets(ctx, resource.OwnerText(owner))
	for _, b := range all {
		if err == nil {
			err = s.Delete(ctx, b.Name, true)
		}
	}
	return err
}

// CountSizes is for a store that was opened as shared, once its server stays. Until then Size is 0 if nobody counts.
func (s *Store) CountSizes(ctx context.Context) error { return s.db.CountSizes(ctx) }

// Limit makes a quota bound what is stored. It is called before the store is used.
func (s *Store) Limit(q *resource.Quota) { s.quota = q }

// Size is how many bytes the objects of an owner's buckets have, and uploads to them; "" for buckets that no stage owns.
func (s *Store) Size(ctx context.Context, owner string) (int64, error) {
	return s.db.Size(ctx, `SELECT COALESCE(SUM(bytes), 0) FROM sizes JOIN buckets ON name = bucket WHERE owner = ?`, owner)
}

// List implements resource.Type.
func (s *Store) List(ctx context.Context, owner aloft.StageRef) ([]aloft.ResourceStatus, error) {
	all, err := s.Buckets(ctx, resource.OwnerText(owner))
	list := make([]aloft.ResourceStatus, 0, len(all))
	for _, b := range all {
		list = append(list, aloft.ResourceStatus{
			Type: aloft.Bucket, Name: b.Name, ARN: resource.ARN(aloft.Bucket, b.Name),
			Counts: []aloft.ResourceCount{{What: "objects", N: b.Objects}, {What: aloft.Bytes, N: b.Size}},
		})
	}
	return list, err
}
