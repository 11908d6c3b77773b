package topic

import (
	"context"

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
		for k, v := range attributes {
			t.Attributes[k] = v
		}
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

// List implements resource.Type.
func (s *Store) List(ctx context.Context, owner aloft.StageRef) ([]aloft.ResourceStatus, error) {
	all, err := s.Topics(ctx, resource.OwnerText(owner))
	list := make([]aloft.ResourceStatus, 0, len(all))
	for _, t := range all {
		subs, err := s.Subscriptions(ctx, t.Name)
		if err != nil {
			return nil, err
		}
		list = append(list, aloft.ResourceStatus{
			Type: aloft.Topic, Name: t.Name, ARN: t.ARN(), Counts: []aloft.Count{{What: "subscriptions", N: int64(len(subs))}},
		})
	}
	return list, err
}
