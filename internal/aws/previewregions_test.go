package aws_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
)

// readers are the regions of each statement of a preview by which web is, or no longer is, to read the table.
func readers(p aloft.Preview, action aloft.Action) []string {
	var all []string
	for _, c := range p.IAM {
		if c.Action == action && c.Why == "web uses orders:read" {
			all = append(all, fmt.Sprint(c.Regions))
		}
	}
	return all
}

// TestPreviewOfRegions: the roles of a region that comes or goes are said, though home is code alone; what is the same in several
// regions is said once.
func TestPreviewOfRegions(t *testing.T) {
	t.Parallel()
	const other = "us-east-1"
	w := newMiniStack(t)
	w.withTables()
	first := w.tables("one", "id")
	start := w.preview(first)
	if got := readers(start, aloft.Add); !slices.Equal(got, []string{"[eu-west-1]"}) {
		t.Errorf("of one region: %q", got)
	}
	w.stands(start, "0 → 1.3", "CloudWatch alarm: 0 → 0.3", "KMS key of the account in eu-west-1, once for all apps: 0 → 1")
	w.must(w.apply(t.Context(), first))

	w.regions = []string{home, other}
	both := w.tables("one", "id")
	added := w.preview(both)
	if home := added.Regions[0]; !home.CodeOnly {
		t.Errorf("home is changed: %+v", home)
	}
	if got := readers(added, aloft.Add); !slices.Equal(got, []string{"[us-east-1]"}) {
		t.Errorf("of a second region: %q of %+v", got, added.IAM)
	}
	w.stands(added, "0.3 → 1.6", "CloudWatch alarm: 0.3 → 0.6", "KMS key of the account in us-east-1, once for all apps: 0 → 1")
	w.must(w.apply(t.Context(), both))

	if got := readers(w.preview(w.release("one")), aloft.Remove); !slices.Equal(got, []string{"[eu-west-1 us-east-1]"}) {
		t.Errorf("without the table, in both: %q", got)
	}
	w.regions = []string{home}
	if got := readers(w.preview(w.tables("one", "id")), aloft.Remove); !slices.Equal(got, []string{"[us-east-1]"}) {
		t.Errorf("of a region that is left: %q", got)
	}
}

// TestPreviewOfLargeConfig: the secret that large config needs is counted, as long as it is there.
func TestPreviewOfLargeConfig(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.up("one")
	w.stands(w.preview(w.release("one")), "0.3 → 0.3") // its alarms
	w.set("LARGE", strings.Repeat("x", 5000))
	large := w.release("one")
	w.stands(w.preview(large), "0.3 → 0.7", "Secrets Manager secret: 0 → 0.4")
	w.must(w.apply(t.Context(), large))
	w.stands(w.preview(w.release("two")), "0.7 → 0.7")
	w.set("COLOR", "red")
	w.stands(w.preview(w.release("two")), "0.7 → 0.7")
}

// stands checks what a preview says of what stands.
func (w *world) stands(p aloft.Preview, all string, lines ...string) {
	w.Helper()
	said := func(c aloft.CostPair) string { return c.Before.String() + " → " + c.After.String() }
	var got []string
	for _, line := range p.Cost.Lines {
		got = append(got, line.What+": "+said(line.CostPair))
	}
	if said(p.Cost.Standing) != all || !slices.Equal(got, lines) {
		w.Errorf("what stands is %s of %q, want %s of %q", said(p.Cost.Standing), got, all, lines)
	}
}
