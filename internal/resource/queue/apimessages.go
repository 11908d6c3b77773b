package queue

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft/internal/resource/wire"
)

const (
	maxBatch   = 10
	maxReceive = 10 // messages at once
)

// within reads seconds between two bounds; nil if they are not said.
func (s seconds) within(name string, least, most int) (*time.Duration, error) {
	if s.n == nil {
		return nil, nil //nolint:nilnil // nothing said is no error
	}
	if *s.n < least || *s.n > most {
		return nil, wire.Fail("InvalidParameterValue", "Value %d for parameter %s is invalid. Reason: Must be between %d and %d.", *s.n, name, least, most)
	}
	d := time.Duration(*s.n) * time.Second
	return &d, nil
}

type sendEntry struct {
	ID                     string `json:"Id"` // of a batch's entry
	MessageBody            string
	DelaySeconds           seconds
	MessageAttributes      map[string]Value
	System                 map[string]Value `json:"MessageSystemAttributes"`
	MessageDeduplicationID string           `json:"MessageDeduplicationId"`
	MessageGroupID         string           `json:"MessageGroupId"`
}

type sendInput struct {
	target
	sendEntry
}

type sendOutput struct {
	ID             string `json:"Id,omitempty"`
	MessageID      string `json:"MessageId"`
	BodyMD5        string `json:"MD5OfMessageBody"`
	AttributesMD5  string `json:"MD5OfMessageAttributes,omitempty"`
	SystemMD5      string `json:"MD5OfMessageSystemAttributes,omitempty"`
	SequenceNumber string `json:",omitempty"`
}

func (e sendEntry) message() (Send, error) {
	d, err := e.DelaySeconds.within("DelaySeconds", 0, 900)
	for name, v := range e.MessageAttributes {
		kind, _, _ := strings.Cut(v.DataType, ".")
		text := v.StringValue != nil && *v.StringValue != ""
		if err == nil && (!slices.Contains([]string{"String", "Number", "Binary"}, kind) || (kind == "Binary") != (len(v.BinaryValue) > 0) || (kind != "Binary") != text) {
			err = wire.Fail("InvalidParameterValue", "The message attribute '%s' must contain a non-empty value of its data type.", name)
		}
	}
	return Send{Body: e.MessageBody, Attributes: e.MessageAttributes, System: e.System, Delay: d, Group: e.MessageGroupID, Dedup: e.MessageDeduplicationID}, err
}

func (e sendEntry) output(sent Sent) sendOutput {
	return sendOutput{e.ID, sent.ID, digest(e.MessageBody), digestOf(e.MessageAttributes), digestOf(e.System), sent.Sequence}
}

func (a api) send(ctx context.Context, in sendInput) (sendOutput, error) {
	name, err := a.name(in.target)
	if err != nil {
		return sendOutput{}, err
	}
	m, err := in.message()
	if err != nil {
		return sendOutput{}, err
	}
	sent, err := a.store.Send(ctx, name, m)
	if err != nil {
		return sendOutput{}, translate(err)
	}
	in.ID = ""
	return in.output(sent[0]), nil
}

// batch is a request of several.
type batch[E any] struct {
	target

	Entries []E
}

// failedEntry is an entry of a batch that was refused.
type failedEntry struct {
	ID          string `json:"Id"`
	Code        string
	Message     string
	SenderFault bool
}

type batchOutput[O any] struct {
	Successful []O
	Failed     []failedEntry
}

// each does something for every entry of a batch.
func each[E, O any](in batch[E], id func(E) string, do func(E) (O, error)) (batchOutput[O], error) {
	out := batchOutput[O]{Successful: []O{}, Failed: []failedEntry{}}
	ids := map[string]bool{}
	for _, e := range in.Entries {
		ids[id(e)] = true
	}
	switch n := len(in.Entries); {
	case n == 0:
		return out, &wire.Failure{Code: "EmptyBatchRequest", Query: "AWS.SimpleQueueService.EmptyBatchRequest", Message: "There should be at least one entry in the request."}
	case n > maxBatch:
		return out, &wire.Failure{
			Code: "TooManyEntriesInBatchRequest", Query: "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", Message: "Maximum number of entries per request are 10.",
		}
	case len(ids) < n:
		return out, &wire.Failure{Code: "BatchEntryIdsNotDistinct", Query: "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", Message: "Two or more batch entries have the same Id."}
	}
	for _, e := range in.Entries {
		done, err := do(e)
		if f, ok := translate(err).(*wire.Failure); ok { //nolint:errorlint // translate made it
			if f.Code == "QueueDoesNotExist" {
				return out, f
			}
			out.Failed = append(out.Failed, failedEntry{id(e), f.Code, f.Message, true})
			continue
		}
		if err != nil {
			return out, err
		}
		out.Successful = append(out.Successful, done)
	}
	return out, nil
}

// sendBatch sends what is good in one transaction.
func (a api) sendBatch(ctx context.Context, in batch[sendEntry]) (batchOutput[sendOutput], error) {
	q, err := a.found(ctx, in.target)
	if err != nil {
		return batchOutput[sendOutput]{}, err
	}
	var good []sendEntry
	var sends []Send
	checked, err := each(in, func(e sendEntry) string { return e.ID }, func(e sendEntry) (wire.Nothing, error) {
		m, err := e.message()
		if err == nil {
			_, err = q.put(m)
		}
		if err == nil {
			good, sends = append(good, e), append(sends, m)
		}
		return wire.Nothing{}, err
	})
	out := batchOutput[sendOutput]{Successful: []sendOutput{}, Failed: checked.Failed}
	if err != nil {
		return out, err
	}
	sent, err := a.store.Send(ctx, q.Name, sends...)
	for i, s := range sent {
		out.Successful = append(out.Successful, good[i].output(s))
	}
	return out, translate(err)
}

type receiveInput struct {
	target

	AttributeNames              []string
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
	MaxNumberOfMessages         seconds
	VisibilityTimeout           seconds
	WaitTimeSeconds             seconds
}

type message struct {
	MessageID     string `json:"MessageId"`
	ReceiptHandle string
	BodyMD5       string `json:"MD5OfBody"`
	Body          string
	Attributes    map[string]string `json:",omitempty"`
	AttributesMD5 string            `json:"MD5OfMessageAttributes,omitempty"`
	Values        map[string]Value  `json:"MessageAttributes,omitempty"`
}

type receiveOutput struct {
	Messages []message `json:",omitempty"`
}

func (in receiveInput) receive() (r Receive, err error) {
	if r.Visibility, err = in.VisibilityTimeout.within("VisibilityTimeout", 0, 12*3600); err != nil {
		return r, err
	}
	if r.Wait, err = in.WaitTimeSeconds.within("WaitTimeSeconds", 0, 20); err != nil {
		return r, err
	}
	if n := in.MaxNumberOfMessages.n; n != nil {
		r.Max = *n
		if r.Max < 1 || r.Max > maxReceive {
			return r, wire.Fail("InvalidParameterValue", "Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.", r.Max)
		}
	}
	return r, nil
}

func (a api) receive(ctx context.Context, in receiveInput) (receiveOutput, error) {
	name, err := a.name(in.target)
	if err != nil {
		return receiveOutput{}, err
	}
	r, err := in.receive()
	if err != nil {
		return receiveOutput{}, err
	}
	got, err := a.store.Receive(ctx, name, r)
	var out receiveOutput
	for _, m := range got {
		values := chosen(m.Attributes, in.MessageAttributeNames)
		out.Messages = append(out.Messages, message{
			MessageID: m.ID, ReceiptHandle: m.Receipt, BodyMD5: digest(m.Body), Body: m.Body, Values: values, AttributesMD5: digestOf(values),
			Attributes: system(m, append(in.AttributeNames, in.MessageSystemAttributeNames...)),
		})
	}
	return out, translate(err)
}

// chosen are the attributes that a client wants: by name, "All", or a prefix that ends with ".*".
func chosen(all map[string]Value, names []string) map[string]Value {
	some := map[string]Value{}
	for name, v := range all {
		if slices.ContainsFunc(names, func(want string) bool {
			prefix, many := strings.CutSuffix(want, ".*")
			return want == "All" || want == name || many && strings.HasPrefix(name, prefix)
		}) {
			some[name] = v
		}
	}
	return some
}

// system are the attributes that the queue gives a message, those that a client wants.
func system(m Message, names []string) map[string]string {
	all := map[string]string{
		"SenderId": "aloft", "SentTimestamp": strconv.FormatInt(m.Sent.UnixMilli(), 10), "ApproximateReceiveCount": strconv.Itoa(m.Receives),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.First.UnixMilli(), 10),
		"MessageGroupId":                   m.Group, "MessageDeduplicationId": m.Dedup, "SequenceNumber": m.Sequence,
	}
	for name, v := range m.System {
		all[name] = string(v.bytes())
	}
	some := map[string]string{}
	for name, v := range all {
		if v != "" && (slices.Contains(names, "All") || slices.Contains(names, name)) {
			some[name] = v
		}
	}
	return some
}

type receiptEntry struct {
	ID                string `json:"Id"` // of a batch's entry
	ReceiptHandle     string
	VisibilityTimeout seconds
}

type receiptInput struct {
	target
	receiptEntry
}

// idOutput is an entry of a batch that was done.
type idOutput struct {
	ID string `json:"Id"`
}

func (a api) removeMessage(ctx context.Context, in receiptInput) (wire.Nothing, error) {
	name, err := a.name(in.target)
	if err != nil {
		return wire.Nothing{}, err
	}
	return wire.Nothing{}, translate(a.store.DeleteMessage(ctx, name, in.ReceiptHandle))
}

func (a api) removeBatch(ctx context.Context, in batch[receiptEntry]) (batchOutput[idOutput], error) {
	return a.eachReceipt(in, func(e receiptEntry) error {
		_, err := a.removeMessage(ctx, receiptInput{in.target, e})
		return err
	})
}

func (a api) extend(ctx context.Context, in receiptInput) (wire.Nothing, error) {
	name, err := a.name(in.target)
	if err != nil {
		return wire.Nothing{}, err
	}
	d, err := in.VisibilityTimeout.within("VisibilityTimeout", 0, 12*3600)
	if err != nil {
		return wire.Nothing{}, err
	}
	if d == nil {
		return wire.Nothing{}, wire.Fail("MissingParameter", "The request must contain the parameter VisibilityTimeout.")
	}
	return wire.Nothing{}, translate(a.store.Extend(ctx, name, in.ReceiptHandle, *d))
}

func (a api) extendBatch(ctx context.Context, in batch[receiptEntry]) (batchOutput[idOutput], error) {
	return a.eachReceipt(in, func(e receiptEntry) error {
		_, err := a.extend(ctx, receiptInput{in.target, e})
		return err
	})
}

func (a api) eachReceipt(in batch[receiptEntry], do func(e receiptEntry) error) (batchOutput[idOutput], error) {
	return each(in, func(e receiptEntry) string { return e.ID }, func(e receiptEntry) (idOutput, error) { return idOutput{e.ID}, do(e) })
}
