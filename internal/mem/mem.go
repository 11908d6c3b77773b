// Package mem is an aloft.AppService in memory: the fake for tests of everything that needs one. It obeys the same
// contract as the stores that last; nothing survives the process.
package mem

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
)

// Store keeps everything in maps. The zero value is empty and ready to use; it is safe for concurrent use.
type Store struct {
	mu     sync.Mutex
	apps   map[string]aloft.App
	stages map[aloft.StageRef]*stage
}

// stage is a stage with its releases and aliases; release v is at index v-1.
type stage struct {
	aloft.Stage
	releases []aloft.Release
	aliases  map[aliasKey]aloft.Alias
}

var _ aloft.AppService = (*Store)(nil)

// lock takes the lock unless ctx has ended.
func (s *Store) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	if s.apps == nil {
		s.apps, s.stages = map[string]aloft.App{}, map[aloft.StageRef]*stage{}
	}
	return nil
}

// instant is t as the stores that last would return it: no monotonic clock, no zone.
func instant(t time.Time) time.Time { return t.Round(0).UTC() }

// CreateApp implements aloft.AppStore.
func (s *Store) CreateApp(ctx context.Context, app aloft.App) error {
	if err := aloft.CheckName("app", app.Name); err != nil {
		return err
	}
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if _, ok := s.apps[app.Name]; ok {
		return aloft.Errorf(aloft.Conflict, "app %q exists", app.Name)
	}
	app.Key, app.CreatedAt = slices.Clone(app.Key), instant(app.CreatedAt)
	s.apps[app.Name] = app
	return nil
}

// App implements aloft.AppStore.
func (s *Store) App(ctx context.Context, name string) (aloft.App, error) {
	if err := s.lock(ctx); err != nil {
		return aloft.App{}, err
	}
	defer s.mu.Unlock()
	app, ok := s.apps[name]
	if !ok {
		return aloft.App{}, noApp(name)
	}
	app.Key = slices.Clone(app.Key)
	return app, nil
}

// Apps implements aloft.AppStore.
func (s *Store) Apps(ctx context.Context) ([]aloft.App, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var apps []aloft.App
	for _, name := range slices.Sorted(maps.Keys(s.apps)) {
		app := s.apps[name]
		app.Key = slices.Clone(app.Key)
		apps = append(apps, app)
	}
	return apps, nil
}

// DeleteApp implements aloft.AppStore.
func (s *Store) DeleteApp(ctx context.Context, name string) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if _, ok := s.apps[name]; !ok {
		return noApp(name)
	}
	for ref := range s.stages {
		if ref.App == name {
			return aloft.Errorf(aloft.Conflict, "app %q has stages", name)
		}
	}
	delete(s.apps, name)
	return nil
}

// find returns the stage; the caller holds the lock.
func (s *Store) find(ref aloft.StageRef) (*stage, error) {
	if found, ok := s.stages[ref]; ok {
		return found, nil
	}
	if _, ok := s.apps[ref.App]; !ok {
		return nil, noApp(ref.App)
	}
	return nil, aloft.Errorf(aloft.NotFound, "app %q has no stage %q", ref.App, ref.Stage)
}

func noApp(name string) error { return aloft.Errorf(aloft.NotFound, "there is no app %q", name) }

// sorted returns the refs of an app's stages, of all if app is "", by name.
func (s *Store) sorted(app string) []aloft.StageRef {
	var refs []aloft.StageRef
	for ref := range s.stages {
		if app == "" || ref.App == app {
			refs = append(refs, ref)
		}
	}
	slices.SortFunc(refs, func(a, b aloft.StageRef) int {
		if a.App != b.App {
			return strings.Compare(a.App, b.App)
		}
		return strings.Compare(a.Stage, b.Stage)
	})
	return refs
}
