package namespace

import (
	"os"
	"sync"
)

// firstUser is the first of the user ids of sandboxes if the server is root: above those that systemd and the files
// /etc/subuid give away, see systemd's UIDS-GIDS.md.
const (
	firstUser = 1_900_000_000
	manyUsers = 65536
)

// user is a user of the machine as whom one sandbox at a time runs.
type user struct {
	id     int
	owners *os.File // the user namespace that gives the server's files to this user; nil without root
}

// users gives each sandbox a user that no other has. An ordinary user has only himself to give.
type users struct {
	root   bool
	second bool // the first half of the ids is another server's; see Options

	mu   sync.Mutex
	next int
	free []*user // were used; the last one is given first
}

func (u *users) take() (*user, error) {
	if !u.root {
		return &user{id: os.Getuid()}, nil
	}
	u.mu.Lock()
	if n := len(u.free); n > 0 {
		taken := u.free[n-1]
		u.free = u.free[:n-1]
		u.mu.Unlock()
		return taken, nil
	}
	fresh := &user{id: firstUser + u.next%(manyUsers/2)}
	if u.second {
		fresh.id += manyUsers / 2
	}
	u.next++
	u.mu.Unlock()
	var err error
	fresh.owners, err = idMap(os.Getuid(), fresh.id)
	return fresh, err
}

// give takes a user back whose processes have all ended.
func (u *users) give(back *user) {
	if u.root && back.owners != nil {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.free = append(u.free, back)
	}
}

// close forgets all that are free.
func (u *users) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, f := range u.free {
		_ = f.owners.Close()
	}
	u.free = nil
}
