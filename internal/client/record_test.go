package client_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
)

// TestRecorder: the way to a store of recordings and back.
func TestRecorder(t *testing.T) {
	dir, ctx, ref := t.TempDir(), t.Context(), aloft.StageRef{App: "shop", Stage: "staging"}
	if err := os.WriteFile(filepath.Join(dir, "server"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	c := serve(t, t.TempDir())
	if _, err := c.Deploy(ctx, aloft.DeployInput{Stage: ref, Dir: dir}, aloft.Discard{}); err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(time.Minute).Round(time.Second)
	if err := c.Record(ctx, ref, "create", until); err != nil {
		t.Fatal(err)
	}
	if err := c.Record(ctx, ref, "resize", until); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("an unknown function: %v", err)
	}
	if states, err := c.Recorded(ctx, ref); err != nil || len(states) != 1 || states[0].Function != "create" || !states[0].Until.Equal(until) {
		t.Errorf("Recorded: %+v, %v", states, err)
	}
	if err := c.Record(ctx, ref, "create", time.Time{}); err != nil {
		t.Error(err)
	}
	if states, err := c.Recorded(ctx, ref); err != nil || len(states) != 0 {
		t.Errorf("Recorded: %+v, %v", states, err)
	}
	if all, err := c.Recordings(ctx, ref, "create"); err != nil || len(all) != 0 {
		t.Errorf("Recordings: %+v, %v", all, err)
	}
	if _, err := c.Recording(ctx, ref, 1); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("Recording: %v", err)
	}
	if err := c.SaveTestEvent(ctx, ref, aloft.TestEvent{Function: "create", Name: "large", Event: []byte(`{"a":1}`)}); err != nil {
		t.Fatal(err)
	}
	if all, err := c.TestEvents(ctx, ref); err != nil || len(all) != 1 || all[0].Name != "large" || string(all[0].Event) != `{"a":1}` {
		t.Errorf("TestEvents: %+v, %v", all, err)
	}
	if err := c.DeleteTestEvent(ctx, ref, "create", "large"); err != nil {
		t.Error(err)
	}
	if err := c.DeleteTestEvent(ctx, ref, "create", "large"); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("second DeleteTestEvent: %v", err)
	}
}
