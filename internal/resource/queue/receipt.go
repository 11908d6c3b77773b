package queue

import (
	"context"
	"crypto/md5" //nolint:gosec // what SQS lets clients check messages with; no protection
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

// receiptCut is between a queue's id and what its messages' receipts are in the file.
const receiptCut = ":"

// receipt is what the file knows a receipt of this queue as. It returns Invalid for one of another.
func (q Queue) receipt(text string) (string, error) {
	id, receipt, _ := strings.Cut(text, receiptCut)
	if id != q.id || receipt == "" {
		return "", aloft.Errorf(aloft.Invalid, "The input receipt handle is invalid.")
	}
	return receipt, nil
}

// DeleteMessages deletes messages that were received. A receipt that is too old does nothing; one of another queue is
// Invalid, and none is deleted.
func (s *Store) DeleteMessages(ctx context.Context, name string, receipts ...string) error {
	return s.each(ctx, name, receipts, func(receipt string) messages.Change { return messages.Delete{Receipt: receipt} })
}

// Return lets others receive messages after a while, before the time of their receiver is over. A receipt that is too old
// does nothing; one of another queue is Invalid, and none is given back.
func (s *Store) Return(ctx context.Context, name string, after time.Duration, receipts ...string) error {
	return s.each(ctx, name, receipts, func(receipt string) messages.Change {
		return messages.Extend{Receipt: receipt, Visibility: after}
	})
}

// Unreceive is Return of messages that nobody has looked at: it counts as if they had not been received.
func (s *Store) Unreceive(ctx context.Context, name string, after time.Duration, receipts ...string) error {
	return s.each(ctx, name, receipts, func(receipt string) messages.Change {
		return messages.Return{Receipt: receipt, Delay: after, Unclaimed: true}
	})
}

// each changes the messages of receipts, all at once.
func (s *Store) each(ctx context.Context, name string, receipts []string, change func(receipt string) messages.Change) error {
	q, err := s.Queue(ctx, name)
	if err != nil {
		return err
	}
	changes := make([]messages.Change, len(receipts))
	for i, text := range receipts {
		receipt, err := q.receipt(text)
		if err != nil {
			return err
		}
		changes[i] = change(receipt)
	}
	return s.messages.Apply(ctx, changes...)
}

// Extend makes a message be nobody else's for some time from now; 0 lets others have it. It returns Conflict for a receipt
// that is too old.
func (s *Store) Extend(ctx context.Context, name, receipt string, d time.Duration) error {
	q, err := s.Queue(ctx, name)
	if err != nil {
		return err
	}
	if receipt, err = q.receipt(receipt); err != nil {
		return err
	}
	good, err := s.messages.Extend(ctx, messages.Extend{Receipt: receipt, Visibility: d})
	if err == nil && !good {
		return aloft.Errorf(aloft.Conflict, "The message referred to isn't in flight.")
	}
	return err
}

// digest is the MD5 of a body.
func digest(body string) string {
	sum := md5.Sum([]byte(body)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// digestOf is the MD5 of attributes, "" of none.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
func digestOf(attributes map[string]Value) string {
	if len(attributes) == 0 {
		return ""
	}
	var b []byte
	add := func(piece []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(piece)))
		b = append(b, piece...)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		v := attributes[name]
		add([]byte(name))
		add([]byte(v.DataType))
		kind := byte(1)
		if strings.HasPrefix(v.DataType, "Binary") {
			kind = 2
		}
		b = append(b, kind)
		add(v.bytes())
	}
	return digest(string(b))
}
