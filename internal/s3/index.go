package s3

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
)

const indexKey = "state/index.json"

// index is what must be unique in the account.
type index struct {
	head
	Apps map[string]*appEntry `json:"apps"`
}

type appEntry struct {
	Key       []byte                 `json:"key"` // wrapped
	CreatedAt time.Time              `json:"createdAt"`
	Stages    map[string]*stageEntry `json:"stages"`
}

type stageEntry struct {
	ID        string    `json:"id"` // part of the keys of the stage's objects
	Domains   []string  `json:"domains,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
}

// app returns NotFound if there is no such app.
func (x *index) app(name string) (*appEntry, error) {
	if entry := x.Apps[name]; entry != nil {
		return entry, nil
	}
	return nil, aloft.Errorf(aloft.NotFound, "there is no app %q", name)
}

// stage returns NotFound if there is no such app or stage.
func (x *index) stage(ref aloft.StageRef) (*stageEntry, error) {
	app, err := x.app(ref.App)
	if err != nil {
		return nil, err
	}
	if entry := app.Stages[ref.Stage]; entry != nil {
		return entry, nil
	}
	return nil, aloft.Errorf(aloft.NotFound, "app %q has no stage %q", ref.App, ref.Stage)
}

// refs lists the stages of an app, of all if app is "", by name.
func (x *index) refs(app string) []aloft.StageRef {
	var refs []aloft.StageRef
	for _, name := range slices.Sorted(maps.Keys(x.Apps)) {
		if app != "" && app != name {
			continue
		}
		for _, stage := range slices.Sorted(maps.Keys(x.Apps[name].Stages)) {
			refs = append(refs, aloft.StageRef{App: name, Stage: stage})
		}
	}
	return refs
}

// Store is an aloft.AppService in a bucket. It is safe for concurrent use, by any number of processes.
type Store struct {
	bucket *Bucket
	owner  string
	terms  terms
	known  known
}

var _ aloft.AppService = (*Store)(nil)

// NewStore returns the store in a bucket. Owner names this process to those who wait for its locks: "ada@laptop (pid 123)".
func NewStore(bucket *Bucket, owner string) *Store {
	return &Store{bucket: bucket, owner: owner, terms: defaultTerms()}
}

// index reads the index; without one there are no apps.
func (s *Store) index(ctx context.Context) (*index, error) {
	s.bucket.memory.forget(indexKey)
	found, _, err := s.loadIndex(ctx)
	return found, err
}

// indexFor is the index as far as it says something of a stage and its app, which nobody else changes while the stage is locked.
func (s *Store) indexFor(ctx context.Context, ref aloft.StageRef) (*index, error) {
	if !s.bucket.memory.holds(ref) {
		return s.index(ctx)
	}
	found, recalled, err := s.loadIndex(ctx)
	if err != nil {
		return nil, err
	}
	if _, missing := found.stage(ref); missing != nil && recalled { // who makes apps holds no lock of this stage
		return s.index(ctx)
	}
	return found, nil
}

func (s *Store) loadIndex(ctx context.Context) (x *index, recalled bool, err error) {
	x = &index{}
	found, err := load(ctx, s.bucket, indexKey, x)
	if err != nil && !errors.Is(err, errMissing) {
		return nil, false, s.bucket.final("read the apps", indexKey, err)
	}
	return x, found.recalled, nil
}

// changeIndex changes the index in one write. A change returns errSame if there is nothing to write.
func changeIndex[R any](ctx context.Context, s *Store, doing string, change func(*index) (R, error)) (R, error) {
	result, err := update(ctx, s.bucket, indexKey, change)
	if errors.Is(err, errSame) {
		return result, nil
	}
	return result, s.bucket.final(doing, indexKey, err)
}

// instant is t as it comes back from JSON: no monotonic clock, no zone.
func instant(t time.Time) time.Time { return t.Round(0).UTC() }

// CreateApp implements aloft.AppStore.
func (s *Store) CreateApp(ctx context.Context, app aloft.App) error {
	if err := aloft.CheckName("app", app.Name); err != nil {
		return err
	}
	_, err := changeIndex(ctx, s, "create app "+app.Name, func(x *index) (none, error) {
		if x.Apps[app.Name] != nil {
			return none{}, aloft.Errorf(aloft.Conflict, "app %q exists", app.Name)
		}
		if x.Apps == nil {
			x.Apps = map[string]*appEntry{}
		}
		x.Apps[app.Name] = &appEntry{Key: app.Key, CreatedAt: instant(app.CreatedAt)}
		return none{}, nil
	})
	return err
}

// none is the result of changes that have none.
type none struct{}

// App implements aloft.AppStore.
func (s *Store) App(ctx context.Context, name string) (aloft.App, error) {
	x, err := s.indexFor(ctx, s.bucket.memory.lockOf(name))
	if err != nil {
		return aloft.App{}, err
	}
	entry, err := x.app(name)
	if err != nil {
		return aloft.App{}, err
	}
	return aloft.App{Name: name, Key: entry.Key, CreatedAt: entry.CreatedAt}, nil
}

// Apps implements aloft.AppStore.
func (s *Store) Apps(ctx context.Context) ([]aloft.App, error) {
	x, err := s.index(ctx)
	if err != nil {
		return nil, err
	}
	var apps []aloft.App
	for _, name := range slices.Sorted(maps.Keys(x.Apps)) {
		apps = append(apps, aloft.App{Name: name, Key: x.Apps[name].Key, CreatedAt: x.Apps[name].CreatedAt})
	}
	return apps, nil
}

// DeleteApp implements aloft.AppStore.
func (s *Store) DeleteApp(ctx context.Context, name string) error {
	_, err := changeIndex(ctx, s, "delete app "+name, func(x *index) (none, error) {
		entry, err := x.app(name)
		if err != nil {
			return none{}, err
		}
		if len(entry.Stages) > 0 {
			return none{}, aloft.Errorf(aloft.Conflict, "app %q has stages", name)
		}
		delete(x.Apps, name)
		return none{}, nil
	})
	return err
}

// clear deletes what belongs to deleted stages. Nobody reads it any more; what an error or a kill leaves costs its bytes only.
func (s *Store) clear(ctx context.Context, prefixes []string) error {
	for _, prefix := range prefixes {
		if err := s.bucket.clear(ctx, prefix); err != nil {
			return aloft.Errorf(aloft.ErrorCode(err), "it is deleted, but its releases are left in %s: %s", s.bucket.place(prefix), strings.TrimSpace(err.Error())).
				WithHint("aws s3 rm --recursive %s", s.bucket.place(prefix))
		}
	}
	return nil
}
