package aloft_test

import (
	"testing"

	"github.com/aloft-run/aloft"
)

// TestURLID: addresses that were given away stay, in later versions too.
func TestURLID(t *testing.T) {
	t.Parallel()
	ref := aloft.StageRef{App: "shop", Stage: "production"}
	if id := ref.URLID("hello"); id != "ili42t4zracoukvzpqc6pfqm7edeoemx" {
		t.Errorf("the id is %s", id)
	}
	for _, other := range []string{ref.URLID("hallo"), aloft.StageRef{App: "shop", Stage: "staging"}.URLID("hello"), aloft.StageRef{App: "s", Stage: "hop/production"}.URLID("hello")} {
		if other == ref.URLID("hello") {
			t.Error("two functions have one address")
		}
	}
}
