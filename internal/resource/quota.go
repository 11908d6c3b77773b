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
	// Free is how many bytes of the disk are free, and how many it has.
	Free func() (free, all int64, err error)
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
	free     int64     // of the disk then, beyond what is left free
	since    int64     // written after it
	underWay int64     // being written
}

const (
	lookAge  = time.Second           // after which sizes are looked at again
	soonest  = 50 * time.Millisecond // also when there is no room
	leftFree = 1 << 30               // bytes of the disk that nobody gets, unless the disk is small:
	leftPart = 20                    // a twentieth of it
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
	n       int64
}

// Add makes sure that there is room for n bytes more, or returns Full.
func (w *Write) Add(ctx context.Context, n int64) error {
	if w.quota == nil {
		return nil
	}
	a, most := w.account, w.quota.Most
	a.mu.Lock()
	defer a.mu.Unlock()
	age := time.Since(a.at)
	full := a.lacks(n, most)
	if age > lookAge || full && age > soonest {
		if err := w.quota.look(ctx, w.owner, a); err != nil {
			return err
		}
		full = a.lacks(n, most)
	}
	switch {
	case full && a.since+a.underWay+n > a.free:
		return &Full{Owner: w.owner}
	case full:
		return &Full{Owner: w.owner, Most: most}
	}
	a.underWay += n
	w.n += n
	return nil
}

// End says that all has been written, or nothing will be any more.
func (w *Write) End() {
	if w.quota == nil {
		return
	}
	a := w.account
	a.mu.Lock()
	defer a.mu.Unlock()
	a.underWay, a.since, w.n = a.underWay-w.n, a.since+w.n, 0
}

// lacks reports whether there is no room for n bytes more.
func (a *account) lacks(n, most int64) bool {
	return a.had+a.since+a.underWay+n > most || a.since+a.underWay+n > a.free
}

// look looks at the real sizes. The caller holds a.mu.
func (q *Quota) look(ctx context.Context, owner string, a *account) error {
	had, err := q.Size(context.WithoutCancel(ctx), owner)
	if err != nil {
		return fmt.Errorf("look how much there is: %w", err)
	}
	free, all, err := q.Free()
	if err != nil {
		return fmt.Errorf("look how much of the disk is free: %w", err)
	}
	a.at, a.had, a.since = time.Now(), had, 0
	a.free = free - min(leftFree, all/leftPart)
	return nil
}
