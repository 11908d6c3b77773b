package runtimeapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// What subscribers may ask for, and what they get that say nothing, as on AWS.
const (
	leastItems, mostItems = 1000, 10000
	leastBytes, mostBytes = 256 << 10, 1 << 20
	leastPause, mostPause = 25, 30_000 // ms
	usualPause            = 1000
)

// deliveryTime is how long a subscriber may take for a batch.
const deliveryTime = 5 * time.Second

// subscriber is an extension that is told of things, in batches of JSON that it takes by HTTP.
type subscriber struct {
	types   []string
	old     bool // by the Logs API
	items   int  // at most in a batch
	bytes   int  // likewise
	pause   time.Duration
	address string
	client  *http.Client
	some    chan struct{} // has a token when something waits
	full    chan struct{} // has one when it is worth sending at once
	cancel  func()        // ends it

	mu      sync.Mutex
	waiting [][]byte
	size    int // of them
	dropped int // since the last batch
}

func newSubscriber(in *subscription, dial func(ctx context.Context, port int) (net.Conn, error)) (*subscriber, error) {
	port, path, err := destination(in)
	if err != nil {
		return nil, err
	}
	for _, t := range in.Types {
		if t != platformType && t != functionType && t != extensionType {
			return nil, fmt.Errorf("types: there is no %q", t)
		}
	}
	if len(in.Types) == 0 {
		return nil, errors.New("types: name platform, function or extension")
	}
	s := &subscriber{types: in.Types, address: "http://sandbox.localdomain" + path, some: make(chan struct{}, 1), full: make(chan struct{}, 1)}
	b := in.Buffering
	var pause int
	for _, bound := range []struct {
		name               string
		at                 *int
		said               int
		usual, least, most int
	}{
		{"maxItems", &s.items, b.MaxItems, mostItems, leastItems, mostItems},
		{"maxBytes", &s.bytes, b.MaxBytes, leastBytes, leastBytes, mostBytes},
		{"timeoutMs", &pause, b.TimeoutMS, usualPause, leastPause, mostPause},
	} {
		*bound.at = bound.said
		if bound.said == 0 {
			*bound.at = bound.usual
		}
		if *bound.at < bound.least || *bound.at > bound.most {
			return nil, fmt.Errorf("buffering.%s: from %d to %d", bound.name, bound.least, bound.most)
		}
	}
	s.pause = time.Duration(pause) * time.Millisecond
	s.client = &http.Client{
		Timeout:       deliveryTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, port) },
			MaxResponseHeaderBytes: bufferSize,
		},
	}
	return s, nil
}

// wants reports whether records of a kind go to the subscriber.
func (s *subscriber) wants(kind string) bool {
	group, _, _ := strings.Cut(kind, ".")
	return slices.Contains(s.types, group) && (!s.old || !strings.HasPrefix(kind, "platform.init"))
}

// add keeps a record until it is sent. Beyond two batches it is dropped.
func (s *subscriber) add(record []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) >= 2*s.items || s.size+len(record) > 2*s.bytes {
		s.dropped++
		return
	}
	s.waiting = append(s.waiting, record)
	s.size += len(record)
	if len(s.waiting) >= s.items || s.size >= s.bytes {
		signal(s.full)
	}
	signal(s.some)
}

// run sends batches until the end: each when it is full, or some time after its first record.
func (s *subscriber) run(ctx context.Context) {
	defer s.client.CloseIdleConnections()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-s.some:
		case <-ctx.Done():
			return
		}
		pause.Reset(s.pause)
		select {
		case <-pause.C:
		case <-s.full:
		case <-ctx.Done():
			return
		}
		s.send(ctx)
	}
}

// signal gives a channel a token, unless it has one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// send delivers what waits. What cannot be delivered is dropped, and counted in the next batch.
func (s *subscriber) send(ctx context.Context) {
	s.mu.Lock()
	batch, dropped := s.waiting, s.dropped
	s.waiting, s.size, s.dropped = nil, 0, 0
	s.mu.Unlock()
	if len(batch) == 0 {
		s.drop(dropped)
		return
	}
	if dropped > 0 {
		batch = append(batch, encode("platform.logsDropped", time.Now(), map[string]any{"droppedRecords": dropped, "reason": "the subscriber is too slow"}))
	}
	if s.post(ctx, batch) != nil {
		s.drop(len(batch) + dropped)
	}
}

func (s *subscriber) drop(n int) {
	s.mu.Lock()
	s.dropped += n
	s.mu.Unlock()
}

func (s *subscriber) post(ctx context.Context, batch [][]byte) error {
	body := slices.Concat([]byte("["), bytes.Join(batch, []byte(",")), []byte("]"))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, bufferSize))
	return err
}
