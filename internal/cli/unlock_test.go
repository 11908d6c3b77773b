package cli_test

import (
	"strings"
	"testing"
)

// TestUnlockHere: stages of this machine have no locks; those on AWS are unlocked in package hostile.
func TestUnlockHere(t *testing.T) {
	b := newBench(t)
	if r := b.run("unlock"); r.status != 2 || !strings.Contains(r.stderr, "shop/staging is on this machine") || !strings.Contains(r.stderr, "--platform aws") {
		t.Errorf("unlock of a stage of this machine: %+v", r)
	}
}
