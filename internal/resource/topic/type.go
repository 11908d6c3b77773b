package topic

import (
	"context"
	"maps"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
)

var _ resource.Type = (*Store)(nil)

// The options of a topic.
const (
	fifoOption    = "fifo"
	contentOption = "content-dedup"
)

// Kind implements resource.Type.
func (*Store) Kind() string { return aloft.Topic }

// Check implements resource.Type.
func (*Store) Check(options map[string]string) error {
	if err := resource.Options(aloft.Topic, options, fifoOption, contentOption); err != nil {
		return err
	}
	_, err := attributesOf(options)
	return err
}

func attributesOf(options map[string]string) (Attributes, error) {
	fifo, err := resource.Flag(options, fifoOption)
	if err != nil {
		return nil, err
	}
	content, err := resource.Flag(options, contentOption)
	if err != nil {
		return nil, err
	}
	if content && !fifo {
		return nil, aloft.Errorf(aloft.Invalid, "%s is an option of FIFO topics", contentOption)
	}
	a := Attributes{}
	if fifo {
		a["FifoTopic"] = "true"
	}
	if content {
		a["ContentBasedDeduplication"] = "true"
	}
	return a, nil
}

// Provision implements resource.Type.
func (s *Store) Provision(ctx context.Context, claim resource.Claim) error {
	if err := s.Check(claim.Options); err != nil {
		return err
	}
	attributes, err := attributesOf(claim.Options)
	if err != nil {
		return err
	}
	owner := resource.OwnerText(claim.Owner)
	made, err := s.Create(ctx, Topic{Name: claim.Name, Owner: owner, Attributes: attributes})
	if err != nil || made {
		return err
	}
	return s.Change(ctx, claim.Name, func(t *Topic) error {
		if t.Owner != owner {
			return resource.Taken(aloft.Topic, claim.Name, t.Owner)
		}
		delete(t.Attributes, "ContentBasedDeduplication")
		maps.Copy(t.Attributes, attributes)
		return nil
	})
}

// Remove implements resource.Type.
func (s *Store) Remove(ctx context.Context, owner aloft.StageRef) error {
	all, err := s.Topics(ctx, resource.OwnerText(owner))
	for _, t := range all {
		if err == nil {
			err = s.Delete(ctx, t.Name)
		}
	}
	return err
}

// CountSizes is for a store that was opened as shared, once its server stays. Until then Size is 0 if nobody counts.
func (s *Store) CountSizes(ctx context.Context) error { return s.db.CountSizes(ctx) }

// Limit makes a quota bound what is published. It is called before the store is used.
func (s *Store) Limit(q *resource.Quota) { s.quota = q }

// Size is how many bytes the messages of an owner's topics have that are on their way, "" for topics that no stage owns.
func (s *Store) Size(ctx context.Context, owner string) (int64, error) {
	return s.db.Size(ctx, `SELECT COALESCE(SUM(bytes), 0) FROM sizes JOIN topics ON name = topic WHERE owner = ?`, owner)
}

// List implements resource.Type.
func (s *Store) List(ctx context.Context, owner aloft.StageRef) ([]aloft.ResourceStatus, error) {
	all, err := s.Topics(ctx, resource.OwnerText(owner))
	list := make([]aloft.ResourceStatus, 0, len(all))
	for _, t := range all {
		subs, err := s.Subscriptions(ctx, t.Name)
		if err != nil {
			return nil, err
		}
		size, err := s.db.Size(ctx, `SELECT COALESCE(SUM(bytes), 0) FROM sizes WHERE topic = ?`, t.Name)
		if err != nil {
			return nil, err
		}
		list = append(list, aloft.ResourceStatus{
			Type: aloft.Topic, Name: t.Name, ARN: t.ARN(), Counts: []aloft.ResourceCount{{What: "subscriptions", N: int64(len(subs))}, {What: aloft.Bytes, N: size}},
		})
	}
	return list, err
}
