package eventsource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aloft-run/aloft"
)

// MaxBatch bounds the payload of a batch, in bytes, as on AWS.
const MaxBatch = 6 << 20

// Failed says which items of a batch a function failed at, by what it answered, and why. The batch as a whole has failed if the
// function did, or if its answer names an item that is none; then all are returned. An answer that says nothing of items
// is a success. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
func Failed(invoked aloft.Invoked, items []string) (failed map[string]bool, why error) {
	if invoked.FunctionError != "" {
		return allOf(items), functionError(invoked)
	}
	var answer struct {
		Failures []struct {
			Item *string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	payload := bytes.TrimSpace(invoked.Payload)
	if len(payload) == 0 || payload[0] != '{' {
		return nil, nil
	}
	if err := json.Unmarshal(payload, &answer); err != nil {
		return allOf(items), fmt.Errorf("the answer's batchItemFailures cannot be read: %w", err)
	}
	known := allOf(items)
	failed = map[string]bool{}
	for _, f := range answer.Failures {
		if f.Item == nil || !known[*f.Item] {
			return known, errors.New("the answer's batchItemFailures name an item that is not in the batch")
		}
		failed[*f.Item] = true
	}
	if len(failed) > 0 {
		why = fmt.Errorf("the function failed at %d of %d", len(failed), len(items))
	}
	return failed, why
}

func allOf(items []string) map[string]bool {
	all := make(map[string]bool, len(items))
	for _, item := range items {
		all[item] = true
	}
	return all
}

// functionError is what a function said of its failure.
func functionError(invoked aloft.Invoked) error {
	var said struct {
		Message string `json:"errorMessage"`
	}
	const most = 300
	if json.Unmarshal(invoked.Payload, &said) != nil || said.Message == "" {
		return errors.New(invoked.FunctionError)
	}
	if r := []rune(said.Message); len(r) > most {
		said.Message = string(r[:most]) + "…"
	}
	return fmt.Errorf("%s: %s", invoked.FunctionError, said.Message)
}
