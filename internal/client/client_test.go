package client_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
	"github.com/aloft-run/aloft/internal/api/apitest"
	"github.com/aloft-run/aloft/internal/client"
)

// services is what a Fake and a Client of an API over a Fake have in common.
type services interface {
	aloft.Deployer
	aloft.Operator
	running
	Releases(ctx context.Context, ref aloft.StageRef, limit int) ([]aloft.Release, error)
	Release(ctx context.Context, ref aloft.StageRef, version int) (aloft.Release, error)
}

// running is what they have in common of what runs.
type running interface {
	aloft.Runner
	aloft.Invoker
	aloft.AsyncService
	aloft.LogService
}

// both returns the fake itself and a client of another: no test may know which it has.
func both(t *testing.T) map[string]services {
	t.Helper()
	return map[string]services{"itself": &apitest.Fake{}, "client": serve(t, t.TempDir())}
}

// serve serves a new Fake in home and returns a client of it.
func serve(t *testing.T, home string) *client.Client {
	t.Helper()
	listener, err := api.Listen(home)
	if err != nil {
		t.Fatal(err)
	}
	fake := &apitest.Fake{}
	server := &http.Server{Handler: api.New(fake.Services(home, func() {}))}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(listener) })
	c := client.New(filepath.Join(home, api.SocketName))
	t.Cleanup(func() {
		c.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
	})
	return c
}

// recorder keeps events and calls seen for each.
type recorder struct {
	mu     sync.Mutex
	events []aloft.Event
	seen   func(aloft.Event)
}

func (r *recorder) Report(e aloft.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	if r.seen != nil {
		r.seen(e)
	}
}

func source(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func input(dir string) aloft.DeployInput {
	return aloft.DeployInput{Stage: aloft.StageRef{App: "shop", Stage: "staging"}, Dir: dir, Author: "ada", Description: "first"}
}

func TestDeployReportsAndReturns(t *testing.T) {
	for name, s := range both(t) {
		t.Run(name, func(t *testing.T) {
			var r recorder
			d, err := s.Deploy(t.Context(), input(source(t, "server")), &r)
			if err != nil {
				t.Fatal(err)
			}
			if d.Release.Version != 1 || d.Release.Author != "ada" || d.URL != "http://shop-staging.localhost:7070" || d.Build.Artifact.Files != 1 {
				t.Errorf("deployment is %+v", d)
			}
			var direct recorder
			if _, err := (&apitest.Fake{}).Deploy(t.Context(), input(source(t, "server")), &direct); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(r.events, direct.events) {
				t.Errorf("events are\n%+v\nwant\n%+v", r.events, direct.events)
			}
			again, err := s.Deploy(t.Context(), input(source(t, "server")), aloft.Discard{})
			if err != nil || !again.Unchanged || again.Release.Version != 1 {
				t.Errorf("the same source again: %+v, %v; want v1 unchanged", again, err)
			}
		})
	}
}

func TestErrorsKeepTheirWords(t *testing.T) {
	for name, s := range both(t) {
		t.Run(name, func(t *testing.T) {
			_, err := s.Deploy(t.Context(), input(source(t, "fail")), aloft.Discard{})
			e, ok := errors.AsType[*aloft.Error](err)
			if !ok || e.Code != aloft.Failed || e.Hint != "mend the build" || e.Detail != "error: it does not compile" || e.Message != "make ended with status 2" {
				t.Errorf("a failing build returns %#v", err)
			}
			checks := map[string]struct {
				code aloft.Code
				call func() error
			}{
				"config of no stage": {aloft.NotFound, func() error {
					_, err := s.Config(t.Context(), aloft.StageRef{App: "no", Stage: "where"})
					return err
				}},
				"domain taken": {aloft.Conflict, func() error {
					if _, err := s.Deploy(t.Context(), input(source(t, "server")), aloft.Discard{}); err != nil {
						t.Fatal(err)
					}
					_, err := s.SetDomains(t.Context(), aloft.StageRef{App: "shop", Stage: "staging"}, []string{"taken.example"})
					return err
				}},
				"rollback too far": {aloft.NotFound, func() error {
					_, err := s.Rollback(t.Context(), aloft.RollbackInput{Stage: aloft.StageRef{App: "shop", Stage: "staging"}, Version: 99}, aloft.Discard{})
					return err
				}},
				"empty source": {aloft.Invalid, func() error {
					_, err := s.Build(t.Context(), input(t.TempDir()), aloft.Discard{})
					return err
				}},
			}
			for name, c := range checks {
				if err := c.call(); aloft.ErrorCode(err) != c.code {
					t.Errorf("%s: %v has code %q, want %q", name, err, aloft.ErrorCode(err), c.code)
				}
			}
		})
	}
}

func TestCancelEndsTheWork(t *testing.T) {
	for name, s := range both(t) {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r := recorder{seen: func(e aloft.Event) {
				if _, ok := e.(aloft.Notice); ok {
					cancel()
				}
			}}
			if _, err := s.Deploy(ctx, input(source(t, "slow")), &r); !errors.Is(err, context.Canceled) {
				t.Errorf("a canceled deploy returns %v, want one that is context.Canceled", err)
			}
			if _, err := s.Overview(t.Context(), "shop"); aloft.ErrorCode(err) != aloft.NotFound {
				t.Errorf("after a canceled deploy the app's overview returns %v, want not found", err)
			}
		})
	}
}

func TestDeadlineIsTheCause(t *testing.T) {
	for name, s := range both(t) {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if _, err := s.Deploy(ctx, input(source(t, "slow")), aloft.Discard{}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a deploy out of time returns %v", err)
			}
		})
	}
}

func TestCancelTooLateStillTellsTheResult(t *testing.T) {
	for name, s := range both(t) {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r := recorder{seen: func(e aloft.Event) {
				if _, ok := e.(aloft.Notice); ok {
					cancel()
				}
			}}
			d, err := s.Deploy(ctx, input(source(t, "late")), &r)
			if err != nil || d.Release.Version != 1 {
				t.Errorf("deploy returns v%d, %v; want the release that was made", d.Release.Version, err)
			}
		})
	}
}

func TestConfigAndRollback(t *testing.T) {
	for name, s := range both(t) {
		t.Run(name, func(t *testing.T) {
			ctx, ref := t.Context(), aloft.StageRef{App: "shop", Stage: "production"}
			for _, in := range []aloft.ConfigInput{
				{Stage: ref, Set: map[string]string{"A": "1", "B": "zwei\n\"2\" <&>"}},
				{Stage: ref, Unset: []string{"A"}},
				{Stage: ref, Clear: true},
			} {
				if _, err := s.Configure(ctx, in, aloft.Discard{}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := s.Rollback(ctx, aloft.RollbackInput{Stage: ref, Version: 1}, aloft.Discard{}); err != nil {
				t.Fatal(err)
			}
			got, err := s.Config(ctx, ref)
			if want := (aloft.Config{"A": "1", "B": "zwei\n\"2\" <&>"}); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("config is %#v, %v; want that of v1", map[string]string(got), err)
			}
			releases, err := s.Releases(ctx, ref, 3)
			if err != nil || len(releases) != 3 || releases[0].Version != 4 || releases[0].Kind != aloft.RollbackRelease {
				t.Errorf("releases are %+v, %v; want 3, v4 first", releases, err)
			}
			if _, err := s.Release(ctx, ref, 5); aloft.ErrorCode(err) != aloft.NotFound {
				t.Errorf("release v5 returns %v, want not found", err)
			}
		})
	}
}

func TestOperate(t *testing.T) {
	for name, s := range both(t) {
		t.Run(name, func(t *testing.T) {
			ctx, ref := t.Context(), aloft.StageRef{App: "shop", Stage: "staging"}
			if _, err := s.Deploy(ctx, input(source(t, "server")), aloft.Discard{}); err != nil {
				t.Fatal(err)
			}
			stage, err := s.SetDomains(ctx, ref, []string{"b.example", "a.example"})
			if err != nil || !reflect.DeepEqual(stage.Domains, []string{"a.example", "b.example"}) {
				t.Errorf("domains are %v, %v", stage.Domains, err)
			}
			if err := s.Stop(ctx, ref); err != nil {
				t.Error(err)
			}
			all, err := s.Overview(ctx, "")
			if err != nil || len(all) != 1 || !all[0].Stage.Stopped || len(all[0].Instances) != 0 {
				t.Errorf("overview is %+v, %v; want one stopped stage", all, err)
			}
			if d, err := s.Restart(ctx, ref, aloft.Discard{}); err != nil || d.Release.Version != 1 {
				t.Errorf("restart returns %+v, %v", d, err)
			}
			if all, err = s.Overview(ctx, ""); err != nil || len(all) != 1 || all[0].Stage.Stopped {
				t.Errorf("overview after restart is %+v, %v", all, err)
			}
			set := map[string]aloft.Tuning{"web": {
				Scale: &aloft.Scale{Min: 2, Max: 10}, Concurrency: aloft.Concurrency{Soft: 1, Hard: 2}, Memory: 64, Timeout: aloft.Duration(time.Second),
			}}
			if d, err := s.Tune(ctx, aloft.TuneInput{Stage: ref, Set: set}, aloft.Discard{}); err != nil || !reflect.DeepEqual(d.Release.Tuning, set) {
				t.Errorf("tune returns %+v, %v", d, err)
			}
			for event, kind := range map[string]string{`{"a":1}`: "", `"fail"`: "TypeError"} {
				got, err := s.Invoke(ctx, aloft.InvokeInput{Stage: ref, Function: "create", Payload: []byte(event)})
				if err != nil || got.FunctionError != kind || got.RequestID == "" || kind == "" && string(got.Payload) != event {
					t.Errorf("%s: %+v, %v", event, got, err)
				}
			}
			if err := s.Destroy(ctx, aloft.StageRef{App: "shop"}); err != nil {
				t.Error(err)
			}
			if all, err = s.Overview(ctx, ""); err != nil || len(all) != 0 {
				t.Errorf("overview after destroy is %+v, %v", all, err)
			}
		})
	}
}

func TestLongSocketPath(t *testing.T) {
	home := filepath.Join(t.TempDir(), strings.Repeat("long", 30), strings.Repeat("er", 60))
	c := serve(t, home)
	health, err := c.Health(t.Context())
	if err != nil || health.Home != home {
		t.Errorf("health is %+v, %v", health, err)
	}
	info, err := os.Stat(filepath.Join(home, api.SocketName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket is %v, %v; want mode 0600", info, err)
	}
	if info, err = os.Stat(home); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the home is %v, %v; want mode 0700", info, err)
	}
}

func TestNoServer(t *testing.T) {
	c := client.New(filepath.Join(t.TempDir(), strings.Repeat("x", 100), api.SocketName))
	_, err := c.Health(t.Context())
	if aloft.ErrorCode(err) != aloft.Unavailable || strings.Contains(err.Error(), "/proc/") {
		t.Errorf("health without a server: %v", err)
	}
	if _, err := c.Deploy(t.Context(), input(t.TempDir()), aloft.Discard{}); aloft.ErrorCode(err) != aloft.Unavailable {
		t.Errorf("deploy without a server: %v", err)
	}
}

func TestServerDiesDuringWork(t *testing.T) {
	home := t.TempDir()
	listener, err := api.Listen(home)
	if err != nil {
		t.Fatal(err)
	}
	fake := &apitest.Fake{}
	server := &http.Server{Handler: api.New(fake.Services(home, nil))}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(listener) })
	defer wg.Wait()
	defer func() { _ = server.Close() }()
	r := recorder{seen: func(e aloft.Event) {
		if _, ok := e.(aloft.Notice); ok {
			_ = server.Close()
		}
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err = client.New(filepath.Join(home, api.SocketName)).Deploy(ctx, input(source(t, "slow")), &r)
	if aloft.ErrorCode(err) != aloft.Unavailable {
		t.Errorf("a deploy whose server dies returns %v, want unavailable", err)
	}
}

func TestNamesAreCheckedBeforeTheyArePaths(t *testing.T) {
	c := client.New("/nowhere")
	for _, name := range []string{"", "..", "a/b", "-", "A", "é", strings.Repeat("a", 41), "a%2fb", "a?b"} {
		if _, err := c.Config(t.Context(), aloft.StageRef{App: name, Stage: "staging"}); aloft.ErrorCode(err) != aloft.Invalid {
			t.Errorf("app %q: %v, want invalid", name, err)
		}
		if _, err := c.Releases(t.Context(), aloft.StageRef{App: "shop", Stage: name}, 0); aloft.ErrorCode(err) != aloft.Invalid {
			t.Errorf("stage %q: %v, want invalid", name, err)
		}
	}
}
