package local_test

import (
	"strconv"
	"testing"

	"github.com/aloft-run/aloft"
)

// TestSideKeepsOptions: that an earlier release is invoked besides the current one does not give the resources of both the
// earlier one's options.
func TestSideKeepsOptions(t *testing.T) {
	t.Parallel()
	w, store := queueWorld(t)
	w.handlers(t, 3, func(r *aloft.Release) {
		r.Resources = []aloft.Resource{{Name: "jobs", Type: aloft.Queue, Options: map[string]string{"visibility": strconv.Itoa(r.Version*10) + "s"}}}
	})
	if got := w.invoked(t, "2"); got != 2 {
		t.Fatalf("v%d worked on the event", got)
	}
	q, err := store.Queue(t.Context(), shop.ResourceName(aloft.Resource{Name: "jobs", Type: aloft.Queue}))
	if err != nil || q.Attributes["VisibilityTimeout"] != "30" {
		t.Errorf("the queue is %+v, %v: those of v3 are 30s", q.Attributes, err)
	}
}
