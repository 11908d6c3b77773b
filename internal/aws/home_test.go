package aws_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/mem"
)

// TestOtherHome deploys with records that do not have what serves: lost ones, or those of another home.
func TestOtherHome(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.up("one")
	w.up("two")
	there := w.apps
	w.apps = &mem.Store{}
	w.must(w.apps.CreateApp(t.Context(), aloft.App{Name: w.ref.App}))
	w.must(w.apps.CreateStage(t.Context(), aloft.Stage{StageRef: w.ref}))
	w.configs = append(w.configs, aloft.Config{})
	w.reconnect()
	err := w.apply(t.Context(), w.release("three"))
	if aloft.ErrorCode(err) != aloft.Conflict || !strings.Contains(hint(err), "aloft import stack hello-production --region "+home) {
		t.Errorf("v1 went over v2 of lost records: %v, %s", err, hint(err))
	}
	err = w.platform.CheckHome(t.Context(), aloft.Release{StageRef: w.ref, AWS: &aloft.AWS{Regions: []string{"eu-north-1", home}}})
	if aloft.ErrorCode(err) != aloft.Conflict || !strings.Contains(hint(err), "make "+home+" the first of regions") {
		t.Errorf("eu-north-1 may be home beside a stack whose home is %s: %v, %s", home, err, hint(err))
	}
	w.apps = there
	w.reconnect()
	w.expect("two red")
}

// hint is the next step that an error says.
func hint(err error) string {
	if e, ours := errors.AsType[*aloft.Error](err); ours {
		return e.Hint
	}
	return ""
}
