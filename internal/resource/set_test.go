package resource_test

import (
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
)

// TestVisibleTo: a release sees what it declares, and of things of the same name but of another kind nothing: they may be
// another app's. The function "b-jobs" of the app "a" is called as the queue "jobs" of the app "a-b" is.
func TestVisibleTo(t *testing.T) {
	t.Parallel()
	release := aloft.Release{StageRef: aloft.StageRef{App: "a", Stage: aloft.Production}}
	release.Functions = []aloft.Function{{Name: "b-jobs"}}
	release.Resources = []aloft.Resource{{Name: "b-mail", Type: aloft.Queue, Options: map[string]string{"fifo": "true"}}}
	visible := resource.VisibleTo(release)
	for name, want := range map[resource.Named]bool{
		{Kind: resource.Function, Name: "a-b-jobs"}: true, {Kind: aloft.Queue, Name: "a-b-mail.fifo"}: true,
		{Kind: aloft.Queue, Name: "a-b-jobs"}: false, {Kind: aloft.Queue, Name: "a-b-mail"}: false, {Kind: aloft.Topic, Name: "a-b-mail.fifo"}: false,
	} {
		if visible.Sees(name.Kind, name.Name) != want {
			t.Errorf("%v is visible: %v", name, !want)
		}
	}
	if visible.Owner != release.StageRef {
		t.Errorf("what it makes belongs to %v", visible.Owner)
	}
}
