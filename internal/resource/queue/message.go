package queue

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lineage"
	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

// Value is the value of an attribute of a message.
type Value struct {
	DataType    string  // String, Number or Binary, or one of these with a label
	StringValue *string `json:",omitempty"`
	BinaryValue []byte  `json:",omitempty"`
}

// Send is a message to be sent.
type Send struct {
	Body       string
	Attributes map[string]Value
	System     map[string]Value // AWSTraceHeader
	Delay      *time.Duration   // nil: the queue's
	Group      string           // FIFO
	Dedup      string           // FIFO
}

// Sent is what became of a Send.
type Sent struct {
	ID       string
	Sequence string // FIFO
}

// Message is a message that was received.
type Message struct {
	ID         string
	Body       string
	Attributes map[string]Value
	System     map[string]Value
	Group      string
	Dedup      string
	Sequence   string
	Sent       time.Time
	First      time.Time // when it was received first
	Receives   int       // this time included
	Receipt    string    // with which it is deleted, until it is received again
}

// extra is what is stored of a message besides its body.
type extra struct {
	Attributes map[string]Value `json:"attributes,omitempty"`
	System     map[string]Value `json:"system,omitempty"`
	Dedup      string           `json:"dedup,omitempty"`
}

// put is a Send as it is stored.
func (q Queue) put(m Send) (messages.Put, error) {
	p := messages.Put{Queue: q.id, Body: []byte(m.Body), Delay: q.Attributes.seconds(delay), Group: m.Group}
	if m.Delay != nil {
		p.Delay = *m.Delay
	}
	switch {
	case m.Body == "":
		return p, aloft.Errorf(aloft.Invalid, "The request must contain the parameter MessageBody.")
	case m.size() > q.Attributes.number(maxSize):
		return p, aloft.Errorf(aloft.Invalid, "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.Attributes.number(maxSize))
	case q.FIFO() && m.Group == "":
		return p, aloft.Errorf(aloft.Invalid, "The request must contain the parameter MessageGroupId.")
	case q.FIFO() && m.Dedup == "" && q.Attributes[content] != "true":
		return p, aloft.Errorf(aloft.Invalid, "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	case !q.FIFO():
		p.Group, m.Dedup = "", ""
	case m.Dedup == "":
		sum := sha256.Sum256([]byte(m.Body))
		m.Dedup = hex.EncodeToString(sum[:])
	}
	p.Dedup = m.Dedup
	var err error
	p.Attributes, err = json.Marshal(extra{m.Attributes, m.System, m.Dedup})
	return p, err
}

// size is what AWS counts of a message.
func (m Send) size() int {
	n := len(m.Body)
	for name, v := range m.Attributes {
		n += len(name) + len(v.DataType) + len(v.bytes())
	}
	return n
}

func (v Value) bytes() []byte {
	if v.BinaryValue != nil {
		return v.BinaryValue
	}
	if v.StringValue != nil {
		return []byte(*v.StringValue)
	}
	return nil
}

// Send sends messages, all or none. They are on the disk when it returns. It returns NotFound if there is no such queue,
// Invalid for a message that the queue does not take.
func (s *Store) Send(ctx context.Context, name string, all ...Send) ([]Sent, error) {
	q, err := s.Queue(ctx, name)
	if err != nil {
		return nil, err
	}
	puts, size := make([]messages.Put, len(all)), 0
	for i, m := range all {
		m.System = traced(m.System, lineage.From(ctx))
		if puts[i], err = q.put(m); err != nil {
			return nil, err
		}
		size += len(puts[i].Body) + len(puts[i].Attributes) + messages.Overhead
	}
	leave, err := s.quota.Reserve(ctx, q.Owner, int64(size))
	defer leave()
	if err != nil {
		return nil, err
	}
	stored, err := s.messages.Put(ctx, puts...)
	sent := make([]Sent, len(stored))
	for i, m := range stored {
		sent[i].ID = uuid(m.ID)
		if q.FIFO() {
			sent[i].Sequence = sequence(m.Sequence)
		}
	}
	return sent, err
}

// traceHeader is the system attribute that has the trace of a message.
const traceHeader = "AWSTraceHeader"

// traced are system attributes with the trace of the request that sends a message.
func traced(system map[string]Value, trace string) map[string]Value {
	if trace == "" {
		return system
	}
	said := ""
	if v := system[traceHeader].StringValue; v != nil {
		said = *v
	}
	joined := lineage.Join(said, trace)
	with := map[string]Value{}
	maps.Copy(with, system)
	with[traceHeader] = Value{DataType: "String", StringValue: &joined}
	return with
}

func sequence(n int64) string { return fmt.Sprintf("%020d", n) }

// uuid writes an id of 32 digits as clients expect it.
func uuid(id string) string {
	const digits = 32
	if len(id) != digits {
		return id
	}
	return strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
}

// Receive asks for messages.
type Receive struct {
	Max        int            // 0 is 1
	Visibility *time.Duration // nil: the queue's
	Wait       *time.Duration // for a message if there is none; nil: the queue's
}

// waitStep is how long it waits before it looks whether another process sent something.
const waitStep = time.Second

// Receive takes messages: none if there is none in time. It returns NotFound if there is no such queue.
func (s *Store) Receive(ctx context.Context, name string, r Receive) ([]Message, error) {
	q, err := s.Queue(ctx, name)
	if err != nil {
		return nil, err
	}
	claim := messages.Claim{Queue: q.id, Max: cmp.Or(r.Max, 1), Visibility: q.Attributes.seconds(visibility)}
	if r.Visibility != nil {
		claim.Visibility = *r.Visibility
	}
	limit := q.Attributes.seconds(wait)
	if r.Wait != nil {
		limit = *r.Wait
	}
	for end := time.Now().Add(limit); ; {
		got, err := s.claim(ctx, claim, min(waitStep, time.Until(end)))
		if err != nil {
			return nil, err
		}
		received, err := s.sift(ctx, q, got)
		if len(received) > 0 || err != nil {
			return received, err
		}
		if len(got) == 0 && !time.Now().Before(end) {
			return nil, nil
		}
	}
}

// claim takes messages, and waits for them for a while.
func (s *Store) claim(ctx context.Context, c messages.Claim, limit time.Duration) ([]messages.Message, error) {
	if limit <= 0 {
		return s.messages.Claim(ctx, c)
	}
	waiting, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	got, err := s.messages.Receive(waiting, c)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return got, nil
	}
	return got, err
}

// sift moves what was received too often to the queue for that, and returns the rest.
func (s *Store) sift(ctx context.Context, q Queue, got []messages.Message) ([]Message, error) {
	rule := q.Redrive()
	received := make([]Message, 0, len(got))
	for _, m := range got {
		if rule.Queue != "" && m.Claims > rule.Max {
			to, err := s.Queue(ctx, rule.Queue)
			if err == nil {
				if err := s.messages.Apply(ctx, messages.Move{Receipt: m.Receipt, To: to.id}); err != nil {
					return nil, err
				}
				continue
			}
		}
		one, err := q.message(m)
		if err != nil {
			return nil, err
		}
		received = append(received, one)
	}
	return received, nil
}

func (q Queue) message(m messages.Message) (Message, error) {
	var more extra
	if err := json.Unmarshal(m.Attributes, &more); err != nil {
		return Message{}, fmt.Errorf("read message %s: %w", m.ID, err)
	}
	one := Message{
		ID: uuid(m.ID), Body: string(m.Body), Attributes: more.Attributes, System: more.System, Dedup: more.Dedup,
		Sent: m.Enqueued, First: m.Claimed, Receives: m.Claims, Receipt: q.id + receiptCut + m.Receipt,
	}
	if q.FIFO() {
		one.Group, one.Sequence = m.Group, sequence(m.Sequence)
	}
	return one, nil
}
