package aws_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/awstest"
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
	cloud := awstest.Emulator(t)
	cloud.NeedMiniStack(t)
	w := newWorld(t, cloud)
	w.withTables()
	first := w.tables("one", "id")
	if got := readers(w.preview(first), aloft.Add); !slices.Equal(got, []string{"[eu-west-1]"}) {
		t.Errorf("of one region: %q", got)
	}
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
	w.must(w.apply(t.Context(), both))

	if got := readers(w.preview(w.release("one")), aloft.Remove); !slices.Equal(got, []string{"[eu-west-1 us-east-1]"}) {
		t.Errorf("without the table, in both: %q", got)
	}
	w.regions = []string{home}
	if got := readers(w.preview(w.tables("one", "id")), aloft.Remove); !slices.Equal(got, []string{"[us-east-1]"}) {
		t.Errorf("of a region that is left: %q", got)
	}
}
