package topic

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventpattern"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/sqlite/shelf"
)

// Protocols of subscriptions.
const (
	ToQueue    = "sqs"
	ToFunction = "lambda"
)

// Subscription says where the messages of a topic go. It lasts until it is deleted.
type Subscription struct {
	ID         string
	Topic      string
	Protocol   string // ToQueue, ToFunction
	Endpoint   string // the ARN of the queue or function
	Attributes Attributes
	Created    time.Time
	Sourced    bool // an event source of a release made it, and ends it
}

// ARN is the subscription's name in AWS's API.
func (s Subscription) ARN() string { return resource.ARN(aloft.Topic, s.Topic) + ":" + s.ID }

// Raw reports whether the endpoint gets the bare message, without the envelope.
func (s Subscription) Raw() bool { return s.Attributes["RawMessageDelivery"] == "true" }

// wants reports whether the subscription's filter lets a message through. One that cannot be read lets none.
func (s Subscription) wants(m Message) (bool, error) {
	text := s.Attributes["FilterPolicy"]
	if text == "" {
		return true, nil
	}
	p, err := eventpattern.ParseStored(text)
	if err != nil {
		return false, err
	}
	if s.Attributes["FilterPolicyScope"] == "MessageBody" {
		return Filter{p}.MatchBody(m.Body), nil
	}
	return Filter{p}.MatchAttributes(m.Attributes), nil
}

// target is the queue or function that the endpoint names, with "" as its name if the endpoint is not its ARN. Who may
// subscribe and who delivers must both read the endpoint this way.
func (s Subscription) target() (kind, name string) {
	kind, rest, most := aloft.Queue, "", 1
	if s.Protocol == ToFunction {
		kind, rest, most = resource.Function, "function:", 2 // a qualifier may follow
	}
	rest, ok := strings.CutPrefix(s.Endpoint, "arn:aws:"+s.Protocol+":"+resource.Region+":"+resource.Account+":"+rest)
	parts := strings.Split(rest, ":")
	if !ok || len(parts) > most || slices.Contains(parts, "") {
		return kind, ""
	}
	return kind, parts[0]
}

// Check returns Invalid for attributes that a subscription cannot have.
func (s Subscription) Check() error {
	if s.Protocol != ToQueue && s.Protocol != ToFunction {
		return aloft.Errorf(aloft.Invalid, "Invalid parameter: aloft's topics lead to sqs and lambda, not to %q", s.Protocol)
	}
	if _, name := s.target(); name == "" {
		return aloft.Errorf(aloft.Invalid, "Invalid parameter: the endpoint of a subscription with the protocol %s is an ARN, not %q", s.Protocol, s.Endpoint)
	}
	switch s.Attributes["FilterPolicyScope"] {
	case "", "MessageAttributes", "MessageBody":
	default:
		return aloft.Errorf(aloft.Invalid, "Invalid parameter: FilterPolicyScope: %q", s.Attributes["FilterPolicyScope"])
	}
	if text := s.Attributes["FilterPolicy"]; text != "" {
		if _, err := ParseFilter(text); err != nil {
			return aloft.Errorf(aloft.Invalid, "Invalid parameter: FilterPolicy: %w", err)
		}
	}
	return nil
}

const selectSubscription = `SELECT id, topic, protocol, endpoint, attributes, created FROM subscriptions`

func scanSubscription(row shelf.Row) (s Subscription, err error) {
	var attributes string
	var created int64
	if err := row.Scan(&s.ID, &s.Topic, &s.Protocol, &s.Endpoint, &attributes, &created); err != nil {
		return Subscription{}, err
	}
	s.Created = time.UnixMilli(created).UTC()
	err = json.Unmarshal([]byte(attributes), &s.Attributes)
	s.Sourced = s.Attributes[maker] == bySource
	delete(s.Attributes, maker)
	return s, err
}

// The attribute that says who made a subscription, in the database alone: an older server has the file open too, and writes none.
const (
	maker    = "aloft"
	bySource = "source"
	byAPI    = "api"
)

// text is what the database has as attributes.
func (s Subscription) text() (string, error) {
	all := maps.Clone(s.Attributes)
	if all == nil {
		all = Attributes{}
	}
	all[maker] = byAPI
	if s.Sourced {
		all[maker] = bySource
	}
	text, err := json.Marshal(all)
	return string(text), err
}

// Subscribe adds a subscription, or returns the one that there is of the same protocol and endpoint, with its attributes
// and Sourced replaced. It returns NotFound if there is no such topic, Invalid for a bad one.
func (s *Store) Subscribe(ctx context.Context, sub Subscription) (Subscription, error) {
	if err := sub.Check(); err != nil {
		return sub, err
	}
	attributes, err := sub.text()
	if err != nil {
		return sub, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := find(tx.QueryRowContext(ctx, selectTopic+` WHERE name = ?`, sub.Topic), sub.Topic); err != nil {
			return err
		}
		row := tx.QueryRowContext(ctx, `INSERT INTO subscriptions (id, topic, protocol, endpoint, attributes, created) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (topic, protocol, endpoint) DO UPDATE SET attributes = excluded.attributes RETURNING id`,
			aloft.NewID(), sub.Topic, sub.Protocol, sub.Endpoint, attributes, shelf.Now())
		return row.Scan(&sub.ID)
	})
	return sub, err
}

// Unsubscribe deletes a subscription. That there is none is no error.
func (s *Store) Unsubscribe(ctx context.Context, id string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM subscriptions WHERE id = ?`, id)
		return err
	})
}

// UnsubscribeSource deletes the subscription of a topic that an event source made for a function, and what is on its way to it. One
// that was made through the API stays; of one that an older server made nobody knows. That there is none is no error.
func (s *Store) UnsubscribeSource(ctx context.Context, topic, function string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		ids, err := shelf.Query(ctx, tx, shelf.Text, `DELETE FROM subscriptions WHERE topic = ? AND protocol = ? AND endpoint = ?
			AND attributes ->> ? IS NOT ? RETURNING id`, topic, ToFunction, function, maker, byAPI)
		for _, id := range ids {
			if err == nil {
				_, err = tx.ExecContext(ctx, `DELETE FROM outbox WHERE reader = ? AND CAST(body AS TEXT) ->> '$.subscription' = ?`,
					ToFunction, Subscription{Topic: topic, ID: id}.ARN())
			}
		}
		return err
	})
}

// SetAttribute changes one attribute of a subscription. It returns NotFound if there is none, Invalid for a bad value.
func (s *Store) SetAttribute(ctx context.Context, id, name, value string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		sub, err := subscription(tx.QueryRowContext(ctx, selectSubscription+` WHERE id = ?`, id), id)
		if err != nil {
			return err
		}
		if sub.Attributes == nil {
			sub.Attributes = Attributes{}
		}
		sub.Attributes[name] = value
		if value == "" {
			delete(sub.Attributes, name)
		}
		if err := sub.Check(); err != nil {
			return err
		}
		text, err := sub.text()
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE subscriptions SET attributes = ? WHERE id = ?`, text, id)
		return err
	})
}

func subscription(row shelf.Row, id string) (Subscription, error) {
	sub, err := scanSubscription(row)
	if errors.Is(err, sql.ErrNoRows) {
		return sub, aloft.Errorf(aloft.NotFound, "there is no subscription %q", id)
	}
	return sub, err
}

// Subscription returns NotFound if there is none of that id.
func (s *Store) Subscription(ctx context.Context, id string) (Subscription, error) {
	return subscription(s.db.Reader().QueryRowContext(ctx, selectSubscription+` WHERE id = ?`, id), id)
}

// Subscriptions lists those of a topic, with topic "" all, oldest first.
func (s *Store) Subscriptions(ctx context.Context, topic string) ([]Subscription, error) {
	return shelf.Query(ctx, s.db.Reader(), scanSubscription, selectSubscription+` WHERE ? IN ('', topic) ORDER BY created, id`, topic)
}
