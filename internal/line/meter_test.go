package line_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/aloft-run/aloft/internal/line"
)

// TestMeter: every line is either passed on whole, cut where the flood began, or counted.
func TestMeter(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 7, 100, 1000} {
		var got, said []string
		w := line.NewWriter(func(text string, _ time.Time) { got = append(got, text) })
		m := line.NewMeter(w, rate.NewLimiter(0, 3000), func(text string, _ time.Time) { said = append(said, text) })
		var all strings.Builder
		for i := range 1000 {
			fmt.Fprintf(&all, "line %d of many more\n", i)
		}
		text := all.String() + "no end"
		for rest := text; rest != ""; {
			n, err := m.Write([]byte(rest[:min(size, len(rest))]))
			if err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		m.Flush()
		var dropped int
		if len(said) != 1 {
			t.Fatalf("pieces of %d bytes: said %q", size, said)
		}
		if _, err := fmt.Sscanf(said[0], "%d lines dropped", &dropped); err != nil {
			t.Fatalf("said %q", said[0])
		}
		whole := 0
		for i, l := range got {
			if l == fmt.Sprintf("line %d of many more", i) {
				whole++
			} else if i != len(got)-1 {
				t.Errorf("pieces of %d bytes: line %d is %q", size, i, l)
			}
		}
		if kept := len(strings.Join(got, "\n")); kept > 3000 || kept < 3000-size-1 {
			t.Errorf("pieces of %d bytes: kept %d bytes of 3000", size, kept)
		}
		if whole+dropped != 1001 { // the one that was cut counts as dropped: its end was
			t.Errorf("pieces of %d bytes: %d whole and %d dropped lines of 1001", size, whole, dropped)
		}
	}
}

// TestMeterGoesOn: once there are tokens again whole lines are passed on, and before them what was dropped is said.
func TestMeterGoesOn(t *testing.T) {
	t.Parallel()
	var got []string
	add := func(text string, _ time.Time) { got = append(got, text) }
	bucket := rate.NewLimiter(0, 10)
	m := line.NewMeter(line.NewWriter(add), bucket, add)
	for _, text := range []string{"first\n", "too much\n", "and more", " of it\nlast\n"} {
		if text == " of it\nlast\n" {
			bucket.SetBurst(100)
			bucket.SetLimit(rate.Inf)
		}
		if _, err := m.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	m.Flush()
	if len(got) != 3 || got[0] != "first" || !strings.HasPrefix(got[1], "2 lines dropped") || got[2] != "last" {
		t.Errorf("got %q", got)
	}
}
