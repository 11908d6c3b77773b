package s3_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/s3"
)

var web = aloft.StageRef{App: "web", Stage: "staging"}

// line is a network that a test can cut, and an S3 whose clock it can set forward.
type line struct {
	cut    atomic.Bool
	ahead  atomic.Int64 // seconds
	writes atomic.Int64 // how many there were
}

func (l *line) RoundTrip(request *http.Request) (*http.Response, error) {
	if l.cut.Load() {
		return nil, errors.New("the network is cut")
	}
	if request.Method == http.MethodPut {
		l.writes.Add(1)
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err == nil {
		at, parsed := http.ParseTime(answer.Header.Get("Date"))
		if parsed != nil {
			return nil, parsed
		}
		answer.Header.Set("Date", at.Add(time.Duration(l.ahead.Load())*time.Second).Format(http.TimeFormat))
	}
	return answer, err
}

// member is a process of somebody's at the bucket.
func member(config aws.Config, bucket, owner string) (*s3.Store, *line) {
	network := &line{}
	config.HTTPClient = &http.Client{Transport: network}
	store := s3.NewStore(s3.Open(config, bucket, "123456789012"), owner)
	store.SetTerms(3*time.Second, 10*time.Millisecond)
	return store, network
}

// notices passes on what a reporter is told.
type notices chan string

func (n notices) Report(event aloft.Event) {
	switch e := event.(type) {
	case aloft.Notice:
		n <- e.Text
	case aloft.Warning:
		n <- e.Text
	}
}

type taken struct {
	held   context.Context //nolint:containedctx // what Lock returned
	unlock func()
	err    error
}

// lockLater locks in the background.
func lockLater(t *testing.T, store *s3.Store, report aloft.Reporter) <-chan taken {
	t.Helper()
	done := make(chan taken, 1)
	ctx := t.Context()
	go func() {
		held, unlock, err := store.Lock(ctx, web, report)
		done <- taken{held, unlock, err}
	}()
	return done
}

func mustLock(t *testing.T, store *s3.Store) (held context.Context, unlock func()) {
	t.Helper()
	got := <-lockLater(t, store, aloft.Discard{})
	if got.err != nil {
		t.Fatal(got.err)
	}
	return got.held, got.unlock
}

// TestLockExcludes: the second waits, says for whom, and goes on when the first is done.
func TestLockExcludes(t *testing.T) {
	t.Parallel()
	config := fake(t)
	bucket := makeBucket(t, config).Name()
	ada, _ := member(config, bucket, "ada@laptop (pid 1)")
	bob, _ := member(config, bucket, "bob@ci (pid 2)")
	held, unlock := mustLock(t, ada)
	told := make(notices, 10)
	waiting := lockLater(t, bob, told)
	if text := <-told; !strings.Contains(text, "ada@laptop (pid 1) since ") || !strings.Contains(text, "web/staging") {
		t.Errorf("said %q", text)
	}
	select { // for longer than a lock lives that is not renewed
	case got := <-waiting:
		t.Fatalf("got a lock that is held: %v", got.err)
	case <-held.Done():
		t.Fatalf("lost: %v", context.Cause(held))
	case <-time.After(4 * time.Second):
	}
	unlock()
	unlock() // twice is harmless
	got := <-waiting
	if got.err != nil || got.held.Err() != nil {
		t.Fatalf("Lock: %v", got.err)
	}
	got.unlock()
	if held.Err() == nil || got.held.Err() == nil {
		t.Error("held goes on after unlock")
	}
	if len(told) != 0 {
		t.Errorf("said more: %q", <-told)
	}
}

// TestLockExpires: a holder without network gives up by itself before others may take the lock, and takes nothing away then.
func TestLockExpires(t *testing.T) {
	t.Parallel()
	config := fake(t)
	bucket := makeBucket(t, config).Name()
	ada, cable := member(config, bucket, "ada@laptop (pid 1)")
	bob, clock := member(config, bucket, "bob@ci (pid 2)")
	held, unlock := mustLock(t, ada)
	cable.cut.Store(true)
	<-held.Done()
	if cause := context.Cause(held); aloft.ErrorCode(cause) != aloft.Unavailable || !strings.Contains(cause.Error(), "network is cut") {
		t.Errorf("cause: %v", cause)
	}
	clock.ahead.Store(60)
	held, unlockBob := mustLock(t, bob)
	cable.cut.Store(false)
	unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := ada.Lock(ctx, web, aloft.Discard{}); aloft.ErrorCode(err) != aloft.Canceled {
		t.Errorf("ada took bob's lock away: %v", err)
	}
	if held.Err() != nil {
		t.Errorf("bob lost it: %v", context.Cause(held))
	}
	unlockBob()
	mustLock(t, ada)
}

func TestBreak(t *testing.T) {
	t.Parallel()
	config := fake(t)
	bucket := makeBucket(t, config).Name()
	ada, _ := member(config, bucket, "ada@laptop (pid 1)")
	bob, _ := member(config, bucket, "bob@ci (pid 2)")
	if _, err := bob.Holder(t.Context(), web); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("a lock that nobody took is held: %v", err)
	}
	if _, err := bob.Break(t.Context(), web); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("Break of no lock: %v", err)
	}
	held, unlock := mustLock(t, ada)
	defer unlock()
	if holder, err := bob.Holder(t.Context(), web); err != nil || holder.Owner != "ada@laptop (pid 1)" {
		t.Errorf("the lock is held by %q, %v", holder.Owner, err)
	}
	if holder, err := bob.Break(t.Context(), web); err != nil || holder.Owner != "ada@laptop (pid 1)" {
		t.Errorf("Break: %v, %v", holder, err)
	}
	<-held.Done()
	if cause := context.Cause(held); aloft.ErrorCode(cause) != aloft.Conflict {
		t.Errorf("cause: %v", cause)
	}
	mustLock(t, bob)
}

// TestUnlockAfterEnd: a command that was interrupted releases its lock.
func TestUnlockAfterEnd(t *testing.T) {
	t.Parallel()
	config := fake(t)
	bucket := makeBucket(t, config).Name()
	ada, _ := member(config, bucket, "ada@laptop (pid 1)")
	ctx, cancel := context.WithCancel(t.Context())
	held, unlock, err := ada.Lock(ctx, web, aloft.Discard{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-held.Done()
	unlock()
	if _, err := ada.Break(t.Context(), web); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("the lock is left: %v", err)
	}
}
