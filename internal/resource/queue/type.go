package queue

import (
	"context"
	"maps"
	"strconv"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/sqlite/shelf"
)

var _ resource.Type = (*Store)(nil)

// The options of a queue.
const (
	fifoOption        = "fifo"
	contentOption     = "content-dedup"
	visibilityOption  = "visibility"
	delayOption       = "delay"
	retentionOption   = "retention"
	waitOption        = "wait"
	deadOption        = "dead-letters" // the name of another queue
	maxReceivesOption = "max-receives"
)

const defaultReceives = 5

// Kind implements resource.Type.
func (*Store) Kind() string { return aloft.Queue }

// Check implements resource.Type.
func (*Store) Check(options map[string]string) error {
	if err := resource.Options(aloft.Queue, options,
		fifoOption, contentOption, visibilityOption, delayOption, retentionOption, waitOption, deadOption, maxReceivesOption); err != nil {
		return err
	}
	_, err := attributesOf(options, func(name string) string { return name })
	return err
}

// attributesOf are options as attributes.
func attributesOf(options map[string]string, sibling func(string) string) (Attributes, error) {
	a := Attributes{}
	for option, attribute := range map[string]string{visibilityOption: visibility, delayOption: delay, retentionOption: retention, waitOption: wait} {
		b := bounds()[attribute]
		n, err := resource.Period(options, option, b.def, b.least, b.most)
		if err != nil {
			return nil, err
		}
		a[attribute] = strconv.Itoa(n)
	}
	for option, attribute := range map[string]string{fifoOption: fifo, contentOption: content} {
		on, err := resource.Flag(options, option)
		if err != nil {
			return nil, err
		}
		if on {
			a[attribute] = "true"
		}
	}
	if a[content] == "true" && a[fifo] == "" {
		return nil, aloft.Errorf(aloft.Invalid, "%s is an option of FIFO queues", contentOption)
	}
	n, err := resource.Number(options, maxReceivesOption, defaultReceives, 1, maxReceives)
	if err != nil {
		return nil, err
	}
	if dead := options[deadOption]; dead != "" {
		a[redrive] = redriveText(Redrive{sibling(dead), n})
	} else if options[maxReceivesOption] != "" {
		return nil, aloft.Errorf(aloft.Invalid, "%s says nothing without %s", maxReceivesOption, deadOption)
	}
	return a, nil
}

// Provision implements resource.Type.
func (s *Store) Provision(ctx context.Context, claim resource.Claim) error {
	if err := s.Check(claim.Options); err != nil {
		return err
	}
	attributes, err := attributesOf(claim.Options, claim.Sibling)
	if err != nil {
		return err
	}
	owner := resource.OwnerText(claim.Owner)
	made, err := s.Create(ctx, Queue{Name: claim.Name, Owner: owner, Attributes: attributes})
	if err != nil || made {
		return err
	}
	return s.Change(ctx, claim.Name, func(q *Queue) error {
		if q.Owner != owner {
			return resource.Taken(aloft.Queue, claim.Name, q.Owner)
		}
		delete(q.Attributes, redrive)
		delete(q.Attributes, content)
		maps.Copy(q.Attributes, attributes)
		return nil
	})
}

// Remove implements resource.Type.
func (s *Store) Remove(ctx context.Context, owner aloft.StageRef) error {
	all, err := s.Queues(ctx, resource.OwnerText(owner))
	for _, q := range all {
		if err == nil {
			err = s.Delete(ctx, q.Name)
		}
	}
	return err
}

// CountSizes is for a store that was opened as shared, once its server stays. Until then Size is 0 if nobody counts.
func (s *Store) CountSizes(ctx context.Context) error { return s.messages.CountSizes(ctx) }

// Limit makes a quota bound what is sent. It is called before the store is used.
func (s *Store) Limit(q *resource.Quota) { s.quota = q }

// Size is how many bytes an owner's queues have, "" for queues that no stage owns.
func (s *Store) Size(ctx context.Context, owner string) (int64, error) {
	ids, err := shelf.Query(ctx, s.db.Reader(), shelf.Text, `SELECT id FROM queues WHERE owner = ?`, owner)
	if err != nil {
		return 0, err
	}
	return s.messages.Size(ctx, ids...)
}

// List implements resource.Type.
func (s *Store) List(ctx context.Context, owner aloft.StageRef) ([]aloft.ResourceStatus, error) {
	all, err := s.Queues(ctx, resource.OwnerText(owner))
	list := make([]aloft.ResourceStatus, 0, len(all))
	for _, q := range all {
		n, err := s.messages.Count(ctx, q.id)
		if err != nil {
			return nil, err
		}
		size, err := s.messages.Size(ctx, q.id)
		if err != nil {
			return nil, err
		}
		list = append(list, aloft.ResourceStatus{
			Type: aloft.Queue, Name: q.Name, ARN: q.ARN(), Counts: []aloft.ResourceCount{
				{What: "waiting", N: int64(n.Ready)}, {What: "in flight", N: int64(n.Claimed)}, {What: "delayed", N: int64(n.Delayed)}, {What: aloft.Bytes, N: size},
			},
		})
	}
	return list, err
}
