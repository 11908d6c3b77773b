package topic

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lineage"
	"github.com/aloft-run/aloft/internal/sqlite/shelf"
)

// MaxMessage is the most bytes of a message and its attributes, as on AWS.
const MaxMessage = 256 << 10

// Message is what is published.
type Message struct {
	Subject    string           `json:"subject,omitempty"`
	Body       string           `json:"body"`
	Attributes map[string]Value `json:"attributes,omitempty"`
	Group      string           `json:"group,omitempty"` // FIFO: messages of one are in order
	Dedup      string           `json:"dedup,omitempty"` // FIFO: a second message with it is none, for 5 minutes

	Trace string `json:"trace,omitempty"` // of who publishes it; see lineage

	// PerProtocol are bodies for single protocols, in place of Body.
	PerProtocol map[string]string `json:"-"`
}

// Value is the value of an attribute.
type Value struct {
	Type   string `json:"type"` // String, Number, Binary, String.Array, or one of these with a label
	Text   string `json:"text,omitempty"`
	Binary []byte `json:"binary,omitempty"`
}

// size is what AWS counts of a message.
func (m Message) size() int {
	n := len(m.Body)
	for name, v := range m.Attributes {
		n += len(name) + len(v.Type) + len(v.Text) + len(v.Binary)
	}
	return n
}

// to is what subscribers of a protocol get.
func (m Message) to(protocol string) Message {
	if body, ok := m.PerProtocol[protocol]; ok {
		m.Body = body
	}
	return m
}

// Delivery is a message on its way to one subscriber.
type Delivery struct {
	Message

	ID           string    `json:"id"` // of the message: the same for all subscribers
	Topic        string    `json:"topic"`
	Subscription string    `json:"subscription"` // its ARN
	Protocol     string    `json:"protocol"`
	Endpoint     string    `json:"endpoint"`
	Raw          bool      `json:"raw,omitempty"`
	Sourced      bool      `json:"sourced,omitempty"` // as of the subscription
	Time         time.Time `json:"time"`
}

const dedupWindow = 5 * time.Minute

// Publish takes a message and returns its id. It is on the disk, for every subscriber that wants it, when it returns. It
// returns NotFound if there is no such topic, Invalid for a message that it does not take.
func (s *Store) Publish(ctx context.Context, name string, m Message) (id string, err error) {
	id, m.Trace = aloft.NewID(), lineage.From(ctx)
	t, err := s.Topic(ctx, name)
	if err != nil {
		return "", err
	}
	leave, err := s.reserve(ctx, t, m)
	defer leave()
	if err != nil {
		return "", err
	}
	if err := t.check(&m); err != nil {
		return "", err
	}
	wanted, err := s.wanted(ctx, name, m)
	if err != nil {
		return "", err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := find(tx.QueryRowContext(ctx, selectTopic+` WHERE name = ?`, name), name); err != nil {
			return err
		}
		if known, err := known(ctx, tx, t, m, id); err != nil || known != "" {
			id = known
			return err
		}
		for _, sub := range wanted {
			if err := s.send(tx, sub, m, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	s.outbox.Wake()
	return id, nil
}

// reserve makes sure that there is room for a message, for one subscriber: how many there are is known when it is written.
func (s *Store) reserve(ctx context.Context, t Topic, m Message) (leave func(), err error) {
	const besides = 500 // what a delivery says besides
	return s.quota.Reserve(ctx, t.Owner, int64(m.size()+besides))
}

// wanted are the subscriptions that want a message. Their filters look at it here, before the database is written: meanwhile
// nobody else could write.
func (s *Store) wanted(ctx context.Context, topic string, m Message) (all []Subscription, err error) {
	subs, err := shelf.Query(ctx, s.db.Reader(), scanSubscription, selectSubscription+` WHERE topic = ?`, topic)
	if err != nil {
		return nil, err
	}
	for _, sub := range subs {
		wants, err := sub.wants(m.to(sub.Protocol))
		if err != nil {
			s.tell(sub, err)
		}
		if wants {
			all = append(all, sub)
		}
	}
	return all, nil
}

// tell says, once, that a subscription gets nothing because its filter cannot be read.
func (s *Store) tell(sub Subscription, err error) {
	if _, told := s.told.LoadOrStore(sub.ID, true); !told && s.Logger != nil {
		s.Logger.Error("a subscription gets no messages: its filter policy cannot be read", "subscription", sub.ARN(), "endpoint", sub.Endpoint, "error", err)
	}
}

// check completes a message for a FIFO topic and refuses what a topic does not take.
func (t Topic) check(m *Message) error {
	switch {
	case m.size() > MaxMessage:
		return aloft.Errorf(aloft.Invalid, "Invalid parameter: Message too long")
	case m.Body == "":
		return aloft.Errorf(aloft.Invalid, "Invalid parameter: Empty message")
	case !t.FIFO():
		m.Dedup = ""
		return nil
	case m.Group == "":
		return aloft.Errorf(aloft.Invalid, "Invalid parameter: The MessageGroupId parameter is required for FIFO topics")
	}
	if m.Dedup == "" && t.Attributes["ContentBasedDeduplication"] == "true" {
		sum := sha256.Sum256([]byte(m.Body))
		m.Dedup = hex.EncodeToString(sum[:])
	}
	if m.Dedup == "" {
		return aloft.Errorf(aloft.Invalid, "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	}
	return nil
}

// known is the id of a message that was published already, "" if it was not; then it is noted.
func known(ctx context.Context, tx *sql.Tx, t Topic, m Message, id string) (earlier string, err error) {
	if m.Dedup == "" {
		return "", nil
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM published WHERE until <= ?`, shelf.Now()); err != nil {
		return "", err
	}
	err = tx.QueryRowContext(ctx, `SELECT id FROM published WHERE topic = ? AND dedup = ?`, t.Name, m.Dedup).Scan(&earlier)
	if !errors.Is(err, sql.ErrNoRows) {
		return earlier, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO published (topic, dedup, id, until) VALUES (?, ?, ?, ?)`,
		t.Name, m.Dedup, id, shelf.Now()+dedupWindow.Milliseconds())
	return "", err
}

func (s *Store) send(tx *sql.Tx, sub Subscription, m Message, id string) error {
	m = m.to(sub.Protocol)
	body, err := json.Marshal(Delivery{
		Message: m, ID: id, Topic: sub.Topic, Subscription: sub.ARN(), Protocol: sub.Protocol, Endpoint: sub.Endpoint, Raw: sub.Raw(), Sourced: sub.Sourced, Time: time.Now().UTC(),
	})
	if err != nil {
		return err
	}
	return s.outbox.Put(tx, sub.Protocol, body)
}

// Deliver hands the messages for subscribers of a protocol to hand, at least once each, until ctx ends. One that hand refuses
// comes again after a pause; to drop it, take it.
func (s *Store) Deliver(ctx context.Context, protocol string, hand func(ctx context.Context, d Delivery) error) error {
	return s.outbox.Deliver(ctx, protocol, func(ctx context.Context, body []byte) error {
		var d Delivery
		if err := json.Unmarshal(body, &d); err != nil {
			return err
		}
		return hand(ctx, d)
	})
}

// Envelope is what a subscriber that does not want raw messages gets: a notification as JSON.
func (d Delivery) Envelope() ([]byte, error) {
	type value struct{ Type, Value string }
	out := struct {
		Type               string
		MessageID          string `json:"MessageId"`
		TopicARN           string `json:"TopicArn"`
		Subject            string `json:",omitempty"`
		Message, Timestamp string
		SignatureVersion   string
		Signature          string
		SigningCertURL     string
		UnsubscribeURL     string
		MessageAttributes  map[string]value `json:",omitempty"`
	}{
		Type: "Notification", MessageID: d.ID, TopicARN: Topic{Name: d.Topic}.ARN(), Subject: d.Subject, Message: d.Body,
		Timestamp: d.Time.Format("2006-01-02T15:04:05.000Z"), SignatureVersion: "1", MessageAttributes: map[string]value{},
	}
	for name, v := range d.Attributes {
		out.MessageAttributes[name] = value{v.Type, v.text()}
	}
	return json.Marshal(out)
}
