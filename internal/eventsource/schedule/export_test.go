package schedule

import (
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
)

// Next is the first tick of a schedule after a time.
func Next(t *testing.T, text string, after time.Time) (time.Time, bool) {
	t.Helper()
	s, err := eventsource.Set{Kind{}}.Parse(aloft.StageRef{}, text)
	if err != nil {
		t.Fatal(err)
	}
	return s.(*source).due.next(after)
}
