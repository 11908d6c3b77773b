package local_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/chaos"
	"github.com/aloft-run/aloft/internal/engine/enginetest"
	"github.com/aloft-run/aloft/internal/engine/process"
	"github.com/aloft-run/aloft/internal/porttest"
	"github.com/aloft-run/aloft/internal/route"
)

func restored(name string, r aloft.Release) aloft.Restored {
	r.App = name
	return aloft.Restored{Stage: aloft.Stage{StageRef: r.StageRef, Current: r.Version}, Release: r}
}

func TestRestore(t *testing.T) {
	w := newWorld(t)
	if err := os.MkdirAll(filepath.Join(w.dir, "trees", "shop", "staging", "v1"), 0o755); err != nil {
		t.Fatal(err)
	}
	static := restored("static", release(1))
	static.Release.Functions = []aloft.Function{{Name: "web", Kind: aloft.Static}}
	below := restored("below", release(1))
	below.Release.Functions = append(below.Release.Functions, aloft.Function{Name: "static", Kind: aloft.Static, Prefix: "/files"})
	stopped := restored("stopped", release(1))
	stopped.Stage.Stopped = true
	stages := []aloft.Restored{
		static, below, stopped,
		restored("crash", release(1, enginetest.Child("fail", "oops")...)),
		restored("gone", func() aloft.Release { r := release(1); r.Artifact.Digest = "damaged"; return r }()),
		restored("config", aloft.Release{StageRef: shop, Version: 1}),
	}
	for i := range 8 {
		stages = append(stages, restored("app"+strconv.Itoa(i), release(3)))
	}
	if err := w.Restore(t.Context(), stages); err != nil {
		t.Fatal(err)
	}
	for i := range 8 { // without waiting: requests do that
		if got, err := w.get(t.Context(), "app"+strconv.Itoa(i)+"-staging.localhost", "/"); got != "v3" {
			t.Errorf("app%d answers %q, %v", i, got, err)
		}
	}
	if got, err := w.get(t.Context(), "static-staging.localhost", "/"); got != "files of digest1" {
		t.Errorf("static answers %q, %v", got, err)
	}
	if got, err := w.get(t.Context(), "below-staging.localhost", "/files/"); got != "files of digest1" {
		t.Errorf("below a prefix: %q, %v", got, err)
	}
	_, err := w.get(t.Context(), "stopped-staging.localhost", "/")
	if u, ok := errors.AsType[*route.Unavailable](err); !ok || u.Reason != "stopped" {
		t.Errorf("stopped: %v", err)
	}
	_, err = w.get(t.Context(), "gone-staging.localhost", "/")
	if u, ok := errors.AsType[*route.Unavailable](err); !ok || !strings.HasPrefix(u.Reason, "crashed") {
		t.Errorf("gone: %v", err)
	}
	for name, want := range map[string]string{"crash": "exit status 3", "gone": "damaged"} {
		eventually(t, name+" is shown as crashed", func() bool {
			status, _ := w.Status(t.Context(), aloft.StageRef{App: name, Stage: "staging"})
			return len(status.Instances) == 1 && status.Instances[0].State == aloft.Crashed && strings.Contains(status.Instances[0].Reason, want)
		})
	}
	mended := release(2)
	mended.App = "gone"
	w.apply(t, mended)
	if got, err := w.get(t.Context(), "gone-staging.localhost", "/"); got != "v2" {
		t.Errorf("mended: %q, %v", got, err)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "trees", "shop")); err == nil {
		t.Error("what was left over is still there")
	}
}

func TestRestoreAndDeployAtOnce(t *testing.T) {
	for range 5 {
		w := newWorld(t)
		if err := w.Restore(t.Context(), []aloft.Restored{restored("shop", release(1))}); err != nil {
			t.Fatal(err)
		}
		w.apply(t, release(2))
		w.expect(t, "/", "v2")
	}
}

func TestRun(t *testing.T) {
	w := newWorld(t)
	run := func(ctx context.Context, stdin string, command ...string) (int, string, error) {
		out := &bytes.Buffer{}
		status, err := w.Run(ctx, aloft.RunInput{Stage: shop, Command: command, Stdin: strings.NewReader(stdin), Stdout: out, Stderr: out})
		return status, out.String(), err
	}
	if _, _, err := run(t.Context(), "", "true"); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("without a release: %v", err)
	}
	w.apply(t, release(4))
	if status, out, err := run(t.Context(), "in", "sh", "-c", `cat; echo " $GREETING $ALOFT_RELEASE"; cat index.html; touch mine; exit 5`); status != 5 || out != "in v4 4\nfiles of digest4" || err != nil {
		t.Errorf("status %d, %q, %v", status, out, err)
	}
	if status, _, err := run(t.Context(), "", "sh", "-c", `test ! -e mine && kill -9 $$`); status != 128+9 || err != nil {
		t.Errorf("killed: status %d, %v", status, err)
	}
	if _, _, err := run(t.Context(), "", "no-such"); aloft.ErrorCode(err) != aloft.Failed {
		t.Errorf("no such program: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := run(ctx, "", enginetest.Child("hang")...); aloft.ErrorCode(err) != aloft.Canceled {
		t.Errorf("given up: %v", err)
	}
	if trees := w.left("trees"); len(trees) != 1 {
		t.Errorf("trees left: %v", trees)
	}
}

func TestCloseInAHurry(t *testing.T) {
	w := newWorld(t)
	w.apply(t, release(1))
	if _, err := w.table.Lookup(host).Backend.Acquire(t.Context()); err != nil { // never ends
		t.Fatal(err)
	}
	applying := make(chan error, 1)
	go func() {
		applying <- w.Apply(context.Background(), release(2, enginetest.Child("stubborn")...), aloft.Discard{}, fine)
	}()
	eventually(t, "the second release starts", func() bool { return len(w.left("trees")) == 2 })
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := w.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("close: %v", err)
	}
	if err := <-applying; aloft.ErrorCode(err) != aloft.Canceled {
		t.Errorf("apply: %v", err)
	}
	if err := w.Apply(t.Context(), release(3), aloft.Discard{}, fine); aloft.ErrorCode(err) != aloft.Unavailable {
		t.Errorf("apply after close: %v", err)
	}
}

// TestChaos deploys while starts fail and instances die: each deploy ends in time, with both outcomes, and nothing is left.
func TestChaos(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("deploys", func(t *testing.T) {
		w := worldOn(t, func(runDir string) engine.Engine {
			return chaos.New(process.New(runDir), chaos.Options{Seed: 3, FailStart: 0.3, Die: 0.6, Life: 400 * time.Millisecond})
		})
		var good, bad atomic.Int64
		var wg sync.WaitGroup
		for app := range 3 {
			where := []string{"tcp4:$PORT", "tcp4:" + porttest.Free(t), "unix:x.sock"}[app]
			wg.Go(func() {
				for n := range 12 {
					r := release(n+1, enginetest.Child("listen", where)...)
					r.App = "app" + strconv.Itoa(app)
					ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
					err := w.Apply(ctx, r, aloft.Discard{}, fine)
					cancel()
					switch aloft.ErrorCode(err) {
					case "":
						good.Add(1)
					case aloft.Failed:
						bad.Add(1)
					default:
						t.Errorf("%s v%d: %v", r.App, r.Version, err)
					}
				}
			})
		}
		wg.Wait()
		if good.Load() == 0 || bad.Load() == 0 {
			t.Errorf("%d good, %d bad: both should be seen", good.Load(), bad.Load())
		}
	})
	eventually(t, "all goroutines end", func() bool { return runtime.NumGoroutine() <= before })
}
