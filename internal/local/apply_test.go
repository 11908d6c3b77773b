package local_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine/enginetest"
	"github.com/aloft-run/aloft/internal/porttest"
	"github.com/aloft-run/aloft/internal/route"
)

func TestReleasesFollowEachOther(t *testing.T) {
	w := newWorld(t)
	w.apply(t, release(1))
	w.expect(t, "/", "v1")
	stage := aloft.Stage{StageRef: shop, Domains: []string{"shop.example"}}
	if err := w.Route(t.Context(), stage); err != nil {
		t.Fatal(err)
	}
	w.apply(t, release(2))
	w.expect(t, "/", "v2")
	if got, err := w.get(t.Context(), "shop.example", "/"); got != "v2" {
		t.Errorf("the domain answers %q, %v", got, err)
	}
	eventually(t, "the first release is gone", func() bool { return len(w.left("trees")) == 1 && len(w.instances(t)) == 1 })
	if all := w.instances(t); len(all) != 1 || all[0].Release != 2 || all[0].State != aloft.Ready || all[0].Function != "web" {
		t.Errorf("instances %+v", all)
	}
	w.apply(t, release(2)) // the serving release once more restarts it
	w.expect(t, "/", "v2")
	back := release(1)
	back.Version = 3
	w.apply(t, back)
	w.expect(t, "/", "v1")
	for _, text := range []string{"started, pid ", "ready on 127.0.0.1:", "stopped"} {
		eventually(t, "log line "+text, func() bool { return w.logs.has("aloft", text) })
	}
	_, _ = w.get(t.Context(), host, "/say?something")
	eventually(t, "what it printed is in the log", func() bool { return w.logs.has("stdout", "something") })
}

func TestStopAndRemove(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		if err := errors.Join(w.Stop(t.Context(), shop), w.Remove(t.Context(), shop)); err != nil {
			t.Errorf("of nothing: %v", err)
		}
	}
	w.apply(t, release(1))
	for range 2 {
		if err := w.Stop(t.Context(), shop); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.get(t.Context(), host, "/")
	if u, ok := errors.AsType[*route.Unavailable](err); !ok || u.Reason != "stopped" {
		t.Errorf("stopped: %v", err)
	}
	if all := w.instances(t); len(all) != 0 {
		t.Errorf("instances of a stopped stage: %+v", all)
	}
	w.apply(t, release(2))
	w.expect(t, "/", "v2")
	if err := w.Remove(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	if hosts := w.table.Hosts(); len(hosts) != 0 {
		t.Errorf("hosts of nothing: %v", hosts)
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, "*", "*")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	w.apply(t, release(1))
	w.expect(t, "/", "v1")
}

// reports collects the steps of a deploy.
type reports struct {
	mu    sync.Mutex
	steps []string
}

func (r *reports) Report(e aloft.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := e.(type) {
	case aloft.StepStarted:
		r.steps = append(r.steps, "begin "+e.Step)
	case aloft.StepDone:
		r.steps = append(r.steps, "end "+e.Step)
	case aloft.Notice:
		r.steps = append(r.steps, "notice")
	}
}

func TestProgressIsTold(t *testing.T) {
	w, report := newWorld(t), &reports{}
	if err := w.Apply(t.Context(), release(1), report, fine); err != nil {
		t.Fatal(err)
	}
	if want := []string{"begin start", "end start", "begin ready", "end ready"}; !slices.Equal(report.steps, want) {
		t.Errorf("told %q, want %q", report.steps, want)
	}
}

func TestWhatFailsChangesNothing(t *testing.T) {
	fixed := porttest.Free(t)
	full := errors.New("disk full")
	for _, old := range []struct {
		name    string
		command []string
	}{
		{"beside", enginetest.Child("listen", "tcp4:$PORT")},
		{"replaced", enginetest.Child("listen", "tcp4:"+fixed)},
	} {
		t.Run(old.name, func(t *testing.T) {
			w := newWorld(t)
			w.apply(t, release(1, old.command...))
			impatient := release(2, enginetest.Child("hang")...)
			impatient.Functions[0].BootTimeout = aloft.Duration(200 * time.Millisecond)
			twice := release(2)
			twice.Functions = append(twice.Functions, twice.Functions[0])
			damaged := release(2)
			damaged.Artifact.Digest = "damaged"
			for _, c := range []struct {
				name    string
				release aloft.Release
				commit  func(context.Context) error
				check   func(error) bool
			}{
				{"it exits", release(2, enginetest.Child("fail", "no database")...), nil, code(aloft.Failed)},
				{"it never listens", impatient, nil, code(aloft.Failed)},
				{"there is no such program", release(2, "no-such"), nil, code(aloft.Failed)},
				{"it has two web functions", twice, nil, code(aloft.Invalid)},
				{"its artifact is damaged", damaged, nil, code(aloft.Internal)},
				{"the commit fails", release(2), func(context.Context) error { return full }, func(err error) bool { return errors.Is(err, full) }},
			} {
				if c.commit == nil {
					c.commit = func(context.Context) error { t.Errorf("%s: committed", c.name); return nil }
				}
				if err := w.Apply(t.Context(), c.release, aloft.Discard{}, c.commit); !c.check(err) {
					t.Errorf("%s: %v", c.name, err)
				}
				w.expect(t, "/", "v1")
				if trees := w.left("trees"); len(trees) != 1 {
					t.Errorf("%s: trees left: %v", c.name, trees)
				}
				if all := w.instances(t); len(all) != 1 || all[0].Release != 1 || all[0].State != aloft.Ready {
					t.Errorf("%s: instances %+v", c.name, all)
				}
			}
		})
	}
}

func code(want aloft.Code) func(error) bool {
	return func(err error) bool { return aloft.ErrorCode(err) == want }
}

func TestAnApplyThatIsGivenUpChangesNothing(t *testing.T) {
	for _, where := range []string{"tcp4:$PORT", "tcp4:" + porttest.Free(t)} {
		w := newWorld(t)
		w.apply(t, release(1, enginetest.Child("listen", where)...))
		for _, after := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond} {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			err := w.Apply(ctx, release(2, enginetest.Child("hang")...), aloft.Discard{}, fine)
			cancel()
			if aloft.ErrorCode(err) != aloft.Canceled || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("given up after %s: %v", after, err)
			}
			w.expect(t, "/", "v1")
			if trees := w.left("trees"); len(trees) != 1 {
				t.Errorf("given up after %s: trees left: %v", after, trees)
			}
		}
	}
}

func TestEnvironment(t *testing.T) {
	w := newWorld(t)
	r := release(7)
	r.Functions[0].Env = map[string]string{"LIBS": "$APP/libs:${APP}:$APPLE", "COLOR": "red", "LANG": "C"}
	for key, value := range map[string]string{"COLOR": "blue", "PORT": "1", "HOST": "example"} {
		r.Config.Values[key] = []byte(value)
	}
	w.apply(t, r)
	tree := w.left("trees")[0]
	if real, err := filepath.EvalSymlinks(tree); err == nil {
		tree = real
	}
	for name, want := range map[string]string{
		"ALOFT_APP": "shop", "ALOFT_STAGE": "staging", "ALOFT_RELEASE": "7", "HOST": "127.0.0.1", "PATH": "/usr/bin:/bin",
		"LANG": "C", "COLOR": "blue", "LIBS": tree + "/libs:" + tree + ":$APPLE", "NOTHING": "", "GREETING": "v7",
	} {
		w.expect(t, "/env?"+name, want)
	}
	for _, name := range []string{"HOME", "TMPDIR"} {
		dir, _ := w.get(t.Context(), host, "/env?"+name)
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 || !strings.HasPrefix(dir, w.dir) {
			t.Errorf("%s is %s, %v", name, dir, err)
		}
	}
}

func TestWorkersAreKeptRunning(t *testing.T) {
	w := newWorld(t)
	r := release(1)
	r.Functions = append(r.Functions,
		aloft.Function{Name: "clock", Kind: aloft.Worker, Command: enginetest.Child("hang"), Instances: 2},
		aloft.Function{Name: "broken", Kind: aloft.Worker, Command: enginetest.Child("fail", "oops")})
	w.apply(t, r)
	states := func() map[string]int {
		count := map[string]int{}
		for _, i := range w.instances(t) {
			count[i.Function+" "+string(i.State)]++
		}
		return count
	}
	eventually(t, "workers run and crash", func() bool {
		s := states()
		return s["web ready"] == 1 && s["clock ready"] == 2 && s["broken crashed"] == 1
	})
	w.apply(t, release(2))
	eventually(t, "the workers of the old release end", func() bool { return len(w.instances(t)) == 1 })
}

func TestStaticFiles(t *testing.T) {
	w := newWorld(t)
	r := release(1)
	r.Functions = []aloft.Function{{Name: "web", Kind: aloft.Static}}
	w.apply(t, r)
	w.expect(t, "/", "files of digest1")
	r = release(2)
	r.Functions = append(r.Functions, aloft.Function{Name: "static", Kind: aloft.Static, Prefix: "/files"})
	w.apply(t, r)
	w.expect(t, "/", "v2")
	w.expect(t, "/files/", "files of digest2")
	r = release(3)
	r.Functions = []aloft.Function{{Name: "web", Kind: aloft.Static, Root: ""}}
	w.apply(t, r)
	w.expect(t, "/", "files of digest3")
	r.Functions[0].Root = "../.."
	if err := w.Apply(t.Context(), r, aloft.Discard{}, fine); aloft.ErrorCode(err) != aloft.Invalid {
		t.Errorf("files of others: %v", err)
	}
	if err := w.Stop(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	if _, err := w.get(t.Context(), host, "/"); err == nil {
		t.Error("a stopped stage serves files")
	}
}

func TestAReleaseWithoutCodeRunsNothing(t *testing.T) {
	w := newWorld(t)
	committed := false
	err := w.Apply(t.Context(), aloft.Release{StageRef: shop, Version: 1}, aloft.Discard{}, func(context.Context) error {
		committed = true
		return nil
	})
	if err != nil || !committed {
		t.Errorf("committed %v, %v", committed, err)
	}
	if len(w.table.Hosts()) != 0 || len(w.instances(t)) != 0 {
		t.Error("something runs")
	}
	if _, err := w.Run(t.Context(), aloft.RunInput{Stage: shop, Command: []string{"true"}}); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("run: %v", err)
	}
}

// TestNobodyWaitsForTheEnd: a stage ends, and its hosts with it, though the caller went away before.
func TestNobodyWaitsForTheEnd(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var refs []aloft.StageRef
	for i := range 10 { // a choice by chance is seen
		r := release(1)
		r.Stage = "s" + string(rune('a'+i))
		r.Functions = []aloft.Function{{Name: "files", Kind: aloft.Static}}
		w.apply(t, r)
		refs = append(refs, r.StageRef)
	}
	for _, ref := range refs {
		_ = w.Stop(ctx, ref)
		_ = w.Remove(ctx, ref)
	}
	eventually(t, "no stage has a host any more", func() bool { return len(w.table.Hosts()) == 0 })
	eventually(t, "no tree is left", func() bool { return len(w.left("trees")) == 0 })
}
