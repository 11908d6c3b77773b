package queue

import (
	"context"
	"encoding/json"
	"maps"
	"strconv"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource/wire"
)

type setInput struct {
	target

	Attributes Attributes
}

func (a api) setAttributes(ctx context.Context, in setInput) (wire.Nothing, error) {
	q, err := a.found(ctx, in.target)
	if err != nil {
		return wire.Nothing{}, err
	}
	if err := a.allowed(Queue{Name: q.Name, Attributes: in.Attributes}); err != nil {
		return wire.Nothing{}, err
	}
	return wire.Nothing{}, translate(a.store.Change(ctx, q.Name, func(q *Queue) error {
		for name, value := range in.Attributes {
			if name == fifo && value != q.shown(fifo) {
				return aloft.Errorf(aloft.Invalid, "You can't change the FIFO queue type after you create it")
			}
			q.Attributes[name] = value
			if value == "" {
				delete(q.Attributes, name)
			}
		}
		return nil
	}))
}

func (a api) purge(ctx context.Context, in target) (wire.Nothing, error) {
	q, err := a.found(ctx, in)
	if err != nil {
		return wire.Nothing{}, err
	}
	return wire.Nothing{}, translate(a.store.Purge(ctx, q.Name))
}

type tagInput struct {
	target

	Tags    map[string]string
	TagKeys []string
}

func (a api) tag(ctx context.Context, in tagInput) (wire.Nothing, error) {
	return a.changeTags(ctx, in, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

func (a api) untag(ctx context.Context, in tagInput) (wire.Nothing, error) {
	return a.changeTags(ctx, in, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}

func (a api) changeTags(ctx context.Context, in tagInput, change func(tags map[string]string)) (wire.Nothing, error) {
	q, err := a.found(ctx, in.target)
	if err != nil {
		return wire.Nothing{}, err
	}
	return wire.Nothing{}, translate(a.store.Change(ctx, q.Name, func(q *Queue) error { change(q.Tags); return nil }))
}

type tagsOutput struct{ Tags map[string]string }

func (a api) tags(ctx context.Context, in target) (tagsOutput, error) {
	q, err := a.found(ctx, in)
	return tagsOutput{q.Tags}, err
}

type sourcesOutput struct {
	QueueURLs []string `json:"queueUrls"`
}

func (a api) sources(ctx context.Context, in target) (sourcesOutput, error) {
	out := sourcesOutput{QueueURLs: []string{}}
	q, err := a.found(ctx, in)
	if err != nil {
		return out, err
	}
	all, err := a.store.Queues(ctx, "")
	for _, from := range all {
		if a.visible.Sees(aloft.Queue, from.Name) && from.Redrive().Queue == q.Name {
			out.QueueURLs = append(out.QueueURLs, a.urlOf(from.Name).QueueURL)
		}
	}
	return out, err
}

// seconds reads a number of seconds that a message of an older client may hold as text.
type seconds struct{ n *int }

// UnmarshalJSON implements json.Unmarshaler.
func (s *seconds) UnmarshalJSON(b []byte) error {
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil || n == "" {
		return err
	}
	v, err := strconv.Atoi(n.String())
	s.n = &v
	return err
}
