//go:build linux

package egress

// Die lets go of what the kernel takes from a process that ends.
func (e *Egress) Die() { _ = e.alive.Close() }

// OldName is the name that the table of a server had before it got a random part.
func OldName(server string) string {
	e, _ := named(server)
	return tablePrefix + e.tag
}
