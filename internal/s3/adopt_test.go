package s3_test

import (
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/s3"
)

// TestAdopt: a history whose beginning was lost goes on with the number that it had, and nothing is asked for what is gone.
func TestAdopt(t *testing.T) {
	t.Parallel()
	ctx, store := t.Context(), s3.NewStore(makeBucket(t, fake(t)), "test")
	check(t, "create app", store.CreateApp(ctx, aloft.App{Name: web.App, Key: []byte("key")}))
	check(t, "create stage", store.CreateStage(ctx, aloft.Stage{StageRef: web}))
	lost := change(web, "lost")
	lost.Version, lost.Artifact.Digest = 40, "forty"
	adopted, err := store.Adopt(ctx, lost)
	check(t, "adopt", err)
	stage, err := store.Stage(ctx, web)
	check(t, "stage", err)
	if adopted.Version != 40 || adopted.Status != aloft.Succeeded || stage.Current != 40 {
		t.Errorf("adopted v%d (%s), the stage is at v%d", adopted.Version, adopted.Status, stage.Current)
	}
	if _, err := store.Adopt(ctx, lost); aloft.ErrorCode(err) != aloft.Conflict {
		t.Errorf("adopted twice: %v", err)
	}
	next, err := store.CreateRelease(ctx, change(web, "next"))
	check(t, "create release", err)
	all, err := store.Releases(ctx, web, 0)
	check(t, "list", err)
	if next.Version != 41 || len(all) != 2 || all[0].Version != 41 || all[1].Version != 40 || all[1].Status != aloft.Succeeded {
		t.Errorf("after v%d there are %d releases", next.Version, len(all))
	}
	if _, err := store.Release(ctx, web, 39); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("v39: %v", err)
	}
	digests, err := store.Digests(ctx)
	check(t, "digests", err)
	if !digests["forty"] {
		t.Errorf("digests: %v", digests)
	}
}
