package egress

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// A table's name is that of its server and a random part: "aloft-5e022b-K3Q7XW2M". As long as the server lives it listens on an
// abstract Unix socket of the name, which belongs to the same network as the table and which nobody can take before, not
// knowing the name. Nobody is ever accepted there.
const (
	tablePrefix = "aloft-"
	randomPart  = 8 // letters
)

// live makes the name of the table and says that its server lives.
func (e *Egress) live() error {
	e.name = tablePrefix + e.tag + "-" + rand.Text()[:randomPart]
	var err error
	if e.alive, err = claim(e.name); err != nil {
		return fmt.Errorf("say that the server lives: %w", err)
	}
	return nil
}

func claim(table string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(context.Background(), "unix", "@"+table)
}

// errLives says that a server of this one's name lives: its home has the same path, perhaps in another container on this network.
var errLives = errors.New("a server whose home has this path lives on this network already")

// dyingTime is how long a server of this one's name that was killed may take to be gone.
const dyingTime = time.Second

// bury removes the interfaces, and the tables, of this server before and of others that were killed and never started again:
// every packet of the machine passes their rules. It is an error that one of this server's name lives on this network. What cannot
// be removed of others stays; a table does as long as interfaces do.
func (e *Egress) bury() error {
	c, err := nftables.New()
	if err != nil {
		return err
	}
	tables, err := c.ListTablesOfFamily(nftables.TableFamilyINet)
	if err != nil {
		return fmt.Errorf("list the tables of the firewall: %w", err)
	}
	for _, t := range tables {
		tag, ok := tagOf(t.Name)
		if t.Name == tablePrefix+e.tag { // of this server before, by a version without the random part
			tag, ok = e.tag, true
		}
		if !ok || t.Name == e.name {
			continue
		}
		if err := e.buryOne(t, tag); err != nil && tag == e.tag {
			return err
		}
	}
	return nil
}

// buryOne removes what a server left, of which a table is known, unless it lives.
func (e *Egress) buryOne(t *nftables.Table, tag string) error {
	claimed, err := claim(t.Name)
	for end := time.Now().Add(dyingTime); err != nil && tag == e.tag && time.Now().Before(end); <-time.After(dyingTime / 100) {
		claimed, err = claim(t.Name)
	}
	if err != nil {
		return fmt.Errorf("%w (table %s)", errLives, t.Name)
	}
	defer func() { _ = claimed.Close() }()
	gone := &Egress{prefix: linkPrefix(tag), wall: &wall{table: t}}
	if err = gone.sweep(); err == nil {
		err = gone.wall.remove()
	}
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove what a server left: %w", err)
	}
	return nil
}

// tagOf is the part of a table's name that stands for its server.
func tagOf(table string) (tag string, ok bool) {
	rest, ours := strings.CutPrefix(table, tablePrefix)
	tag, random, ok := strings.Cut(rest, "-")
	return tag, ours && ok && len(tag) == 2*tagBytes && len(random) == randomPart
}
