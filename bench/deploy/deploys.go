package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/bench/home"
	"github.com/aloft-run/aloft/bench/report"
)

// The peers of deploys.
const (
	walking = "walk+lstat"
	status  = "git status"
	zipping = "zip -6"
)

// deploys measures the first package, unchanged deploys and changes of one file of an app of so many files.
func (b *bench) deploys(ctx context.Context, name string, files int) error {
	app := filepath.Join(b.Dir, name)
	if err := plant(app, files); err != nil {
		return err
	}
	if err := b.serverOf(ctx, app); err != nil {
		return err
	}
	defer os.RemoveAll(app)
	t := &table{free: files < 10_000}
	if err := b.firsts(ctx, t, app); err != nil {
		return err
	}
	s, err := b.Serve(ctx)
	if err != nil {
		return err
	}
	defer s.Remove()
	if err := b.again(ctx, t, s, app); err != nil {
		return err
	}
	if err := b.changes(ctx, t, s, app); err != nil {
		return err
	}
	t.print(b.out, fmt.Sprintf("%s app, %d files", name, files), walking, status, zipping)
	return nil
}

// serverOf adds to an app what starts it: a server that is small beside the rest, in Node.js or Python.
func (b *bench) serverOf(ctx context.Context, dir string) error {
	list, _, err := home.Apps(ctx, filepath.Dir(dir), filepath.Base(dir)+"-", "")
	if err != nil {
		return err
	}
	for _, a := range list {
		if a.Name == "Node.js" || a.Name == "Python" {
			return os.CopyFS(dir, os.DirFS(a.Dir))
		}
	}
	return errors.New("neither node nor python3 is installed: install one of them")
}

// firsts measures packages made from nothing, each by a server with an empty home.
func (b *bench) firsts(ctx context.Context, t *table, app string) error {
	for range max(1, b.rounds/2) {
		size, err := b.zip(ctx, t, app)
		if err != nil {
			return err
		}
		s, err := b.Serve(ctx)
		if err != nil {
			return err
		}
		built, err := s.Build(ctx, home.Input(app), aloft.Discard{})
		s.Remove()
		if err != nil {
			return err
		}
		t.add("first package: scan, compress, store", report.MS(built.Elapsed), target{zipping, 0.2})
		if size > 0 {
			t.note = fmt.Sprintf("size of the package: %.3f × zip -6", float64(built.Artifact.Size)/size)
			if !t.free {
				t.note += " (target: ≤ 1.03)"
			}
		}
	}
	return nil
}

// zip packs the app with Info-ZIP's default and returns the bytes, 0 if it is not installed.
func (b *bench) zip(ctx context.Context, t *table, app string) (float64, error) {
	if _, err := exec.LookPath("zip"); err != nil {
		fmt.Fprintln(b.out, "zip is missing (apt-get install zip): no comparison with it")
		return 0, nil
	}
	file := filepath.Join(b.Dir, "peer.zip")
	defer os.Remove(file)
	c := exec.CommandContext(ctx, "zip", "-qr", "-y", "-6", file, ".")
	c.Dir = app
	time, err := report.Took(c.Run)
	if err != nil {
		return 0, fmt.Errorf("zip: %w", err)
	}
	t.add(zipping, time)
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	return float64(info.Size()), nil
}

// again measures deploys of what serves already.
func (b *bench) again(ctx context.Context, t *table, s *home.Server, app string) error {
	repo, err := repository(ctx, app)
	if err != nil {
		return err
	}
	up := func() error { _, err := s.Up(ctx, app); return err }
	for range 2 { // the first time the files may be too young for the index
		if err := up(); err != nil {
			return err
		}
	}
	for range b.rounds {
		for _, m := range []struct {
			name string
			git  bool
			f    func() error
		}{
			{walking, false, func() error { return walk(app) }},
			{status, true, func() error { return repo.git(ctx, "status", "--porcelain") }},
			{"aloft up, unchanged", false, up},
			{"aloft up, unchanged, in a git checkout", true, up},
		} {
			time, err := repo.measure(m.git, m.f)
			if err != nil {
				return err
			}
			t.add(m.name, time)
		}
		same, err := s.Deploy(ctx, home.Input(app), aloft.Discard{})
		if err != nil {
			return err
		}
		if !same.Unchanged {
			return fmt.Errorf("release v%d of an unchanged source", same.Release.Version)
		}
		t.add("an unchanged deploy, the server's part", report.MS(same.Elapsed), target{walking, 1.5})
	}
	return nil
}

// changes measures the package and the whole deploy after a change of one file.
func (b *bench) changes(ctx context.Context, t *table, s *home.Server, app string) error {
	edit := func(text string) error {
		return os.WriteFile(filepath.Join(app, "lib", "m000", "d00", "f00.js"), []byte(text), 0o644)
	}
	for i := range b.rounds {
		if err := edit("// package " + strconv.Itoa(i)); err != nil {
			return err
		}
		built, err := s.Build(ctx, home.Input(app), aloft.Discard{})
		if err != nil {
			return err
		}
		t.add("one file changed: scan, package, store", report.MS(built.Elapsed), target{walking, 3})
		if err := edit("// deploy " + strconv.Itoa(i)); err != nil {
			return err
		}
		seen := new(steps)
		made, err := s.Deploy(ctx, home.Input(app), seen)
		if err != nil {
			return err
		}
		t.add("one file changed: whole deploy", report.MS(made.Elapsed))
		t.add("… of it unpacking, and starting the process", report.MS(seen.of(aloft.StepStart)))
		t.add("… of it until ready, 100 ms held back", report.MS(seen.of(aloft.StepReady)))
	}
	return nil
}

// steps remembers how long the steps of a deploy took.
type steps struct {
	mu   sync.Mutex
	took map[string]time.Duration
}

var _ aloft.Reporter = (*steps)(nil)

// Report implements aloft.Reporter.
func (s *steps) Report(event aloft.Event) {
	done, ok := event.(aloft.StepDone)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.took == nil {
		s.took = map[string]time.Duration{}
	}
	s.took[done.Step] = done.Elapsed
}

func (s *steps) of(step string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.took[step]
}
