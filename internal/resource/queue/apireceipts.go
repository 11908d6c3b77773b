package queue

import (
	"context"

	"github.com/aloft-run/aloft/internal/resource/wire"
)

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
	return wire.Nothing{}, translate(a.store.DeleteMessages(ctx, name, in.ReceiptHandle))
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
	d, err := in.VisibilityTimeout.upTo("VisibilityTimeout", 12*3600)
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
