package resource

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// DefaultMost is how many bytes the resources of a stage hold at most, unless the server is told otherwise.
const DefaultMost = 10 << 30

// Full is the error of a write for which there is no room.
type Full struct {
	Owner string // "" for who made resources through the API
	Most  int64  // bytes that it may have; 0: it is the disk that is nearly full
}

// Error says who has too much and what to do.
func (f *Full) Error() string {
	if f.Most == 0 {
		return "the disk of the server is nearly full: reads and deletions go on, writes when there is room again"
	}
	owner := f.Owner
	if owner == "" {
		owner = "what was made through the API"
	}
	return fmt.Sprintf("%s has no room left: its resources may hold %d bytes; delete some, or start aloft serve with a greater --resources-limit", owner, f.Most)
}

// QuotaOptions are what a Quota works with. All are needed.
type QuotaOptions struct {
	Most int64 // bytes of each owner
	// Size is how many bytes an owner has. It is asked once a second at most, for an owner that has room.
	Size func(ctx context.Context, owner string) (int64, error)
	Disk *Disk // on which they are, of all quotas whose bytes are there
}

// Quota bounds what each owner keeps, and leaves some of the disk free for the server. Between two looks at the real sizes it
// adds up what is written. Nil bounds nothing.
type Quota struct {
	QuotaOptions

	mu     sync.Mutex
	owners map[string]*account
}

// NewQuota returns a Quota.
func NewQuota(options QuotaOptions) *Quota {
	return &Quota{QuotaOptions: options, owners: map[string]*account{}}
}

// account is what is known of an owner, in bytes.
type account struct {
	mu       sync.Mutex
	at       time.Time // of the last look
	had      int64     // then
	since    int64     // written after it
	underWay int64     // being written: nothing of it is in had
}

const (
	lookAge = time.Second           // after which sizes are looked at again
	soonest = 50 * time.Millisecond // also when there is no room
)

// Reserve makes sure that there is room for n bytes more of an owner, or returns Full. The caller calls leave when they have been
// written, or not.
func (q *Quota) Reserve(ctx context.Context, owner string, n int64) (leave func(), err error) {
	w := q.Begin(owner)
	return w.End, w.Add(ctx, n)
}

// Begin begins a write of an owner whose size is not known yet. End must follow.
func (q *Quota) Begin(owner string) *Write {
	if q == nil {
		return &Write{}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	a := q.owners[owner]
	if a == nil {
		a = &account{}
		q.owners[owner] = a
	}
	return &Write{quota: q, owner: owner, account: a}
}

// Write is a write that goes on. It is for one goroutine.
type Write struct {
	quota   *Quota
	owner   string
	account *account
	n       int64 // counted for the owner
	left    int64 // of the disk, and not yet written
}

// Add makes sure that there is room for n bytes more, or returns Full.
func (w *Write) Add(ctx context.Context, n int64) error {
	if w.quota == nil || n <= 0 {
		return nil
	}
	if err := w.quota.take(ctx, w.owner, w.account, n); err != nil {
		return err
	}
	if err := w.Replace(n); err != nil {
		w.account.leave(n, 0)
		return err
	}
	w.n += n
	return nil
}

// Replace is Add for bytes that take the place of as many at least that the owner has: it is the disk alone that needs room for both.
func (w *Write) Replace(n int64) error {
	if w.quota == nil || n <= 0 {
		return nil
	}
	ok, err := w.quota.Disk.take(n)
	if err != nil {
		return err
	}
	if !ok {
		return &Full{Owner: w.owner}
	}
	w.left += n
	return nil
}

// Wrote says that n bytes of it are on the disk by now, and are missing from what is free of it. Who writes little need not say so.
func (w *Write) Wrote(n int64) {
	if n = min(n, w.left); n > 0 {
		w.left -= n
		w.quota.Disk.wrote(n)
	}
}

// End says that all has been written, or nothing will be any more.
func (w *Write) End() {
	if w.quota == nil {
		return
	}
	w.Wrote(w.left)
	w.account.leave(w.n, w.n)
	w.n = 0
}

// leave says that n bytes are not under way any more, and how many of them were written.
func (a *account) leave(n, written int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.underWay, a.since = a.underWay-n, a.since+written
}

// take counts n bytes for an owner, or returns Full.
func (q *Quota) take(ctx context.Context, owner string, a *account, n int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	full := func() bool { return n > q.Most-a.had-a.since-a.underWay } // n may be any number: a client says it
	if age := time.Since(a.at); age > lookAge || age > soonest && full() {
		had, err := q.Size(context.WithoutCancel(ctx), owner)
		if err != nil {
			return fmt.Errorf("look how much there is: %w", err)
		}
		a.at, a.had, a.since = time.Now(), had, 0
	}
	if full() {
		return &Full{Owner: owner, Most: q.Most}
	}
	a.underWay += n
	return nil
}
