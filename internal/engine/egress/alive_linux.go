package egress

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"

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

// bury removes the tables, and the interfaces, of this server before and of others that were killed and never started again:
// every packet of the machine passes their rules.
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
		if tag != e.tag {
			claimed, err := claim(t.Name)
			if err != nil { // it lives
				continue
			}
			defer func() { _ = claimed.Close() }()
		}
		gone := &Egress{prefix: linkPrefix(tag), wall: &wall{table: t}}
		if err := errors.Join(gone.sweep(), gone.wall.remove()); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("remove what a server left: %w", err)
		}
	}
	return nil
}

// tagOf is the part of a table's name that stands for its server.
func tagOf(table string) (tag string, ok bool) {
	rest, ours := strings.CutPrefix(table, tablePrefix)
	tag, random, ok := strings.Cut(rest, "-")
	return tag, ours && ok && len(tag) == 2*tagBytes && len(random) == randomPart
}
