//go:build !linux

package attack

// Probes are none: only Linux has sandboxes to attack.
func Probes() []Probe { return nil }
