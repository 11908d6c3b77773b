package s3

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/aloft-run/aloft"
)

// parallel is how many requests are under way at once.
const parallel = 16

// stage is what changes with the releases of a stage.
type stage struct {
	head
	Current int            `json:"current"`
	Stopped bool           `json:"stopped,omitempty"`
	First   int            `json:"first,omitempty"`   // the oldest version there is, if the records of those before were lost
	Newest  *aloft.Release `json:"newest,omitempty"`  // as it was created; those before have objects of their own
	Pending []int          `json:"pending,omitempty"` // versions
	Failed  map[int]string `json:"failed,omitempty"`  // reasons by version; what is neither pending nor failed has succeeded
	Aliases []aloft.Alias  `json:"aliases,omitempty"` // by function and name
}

func stagePrefix(ref aloft.StageRef, id string) string {
	return stagesPrefix(ref) + id + "/"
}

// stagesPrefix is that of all stages that ever had the name.
func stagesPrefix(ref aloft.StageRef) string {
	return fmt.Sprintf("state/stages/%s/%s/", ref.App, ref.Stage)
}

func stageKey(ref aloft.StageRef, id string) string { return stagePrefix(ref, id) + "stage.json" }

// last is the newest version, 0 before the first.
func (s *stage) last() int {
	if s.Newest == nil {
		return 0
	}
	return s.Newest.Version
}

// has reports whether there is a release.
func (s *stage) has(version int) bool { return version >= max(1, s.First) && version <= s.last() }

// count is how many releases there are.
func (s *stage) count() int {
	if s.Newest == nil {
		return 0
	}
	return s.last() - max(1, s.First) + 1
}

// status says where a release of the stage is in its life.
func (s *stage) status(version int) (status aloft.ReleaseStatus, reason string) {
	if reason, failed := s.Failed[version]; failed {
		return aloft.Broken, reason
	}
	if slices.Contains(s.Pending, version) {
		return aloft.Pending, ""
	}
	return aloft.Succeeded, ""
}

// known are the ids that stages had when they were last looked at. They may be out of date and only save time.
type known struct {
	mu  sync.Mutex
	ids map[aloft.StageRef]string
}

func (k *known) get(ref aloft.StageRef) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ids[ref]
}

func (k *known) set(ref aloft.StageRef, id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ids == nil {
		k.ids = map[aloft.StageRef]string{}
	}
	k.ids[ref] = id
}

// look reads a stage: its entry in the index and its object, both at once if the id is known. It returns NotFound if there is no such stage.
func (s *Store) look(ctx context.Context, ref aloft.StageRef) (*stageEntry, *stage, error) {
	guess := s.known.get(ref)
	group, inner := errgroup.WithContext(ctx)
	var x *index
	group.Go(func() (err error) {
		x, err = s.indexFor(inner, ref)
		return err
	})
	found := &stage{}
	if guess != "" {
		group.Go(func() (err error) {
			found, err = s.object(inner, ref, guess)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	entry, err := x.stage(ref)
	if err != nil {
		return nil, nil, err
	}
	if entry.ID != guess {
		if found, err = s.object(ctx, ref, entry.ID); err != nil {
			return nil, nil, err
		}
		s.known.set(ref, entry.ID)
	}
	return entry, found, nil
}

// object reads stage.json. There is none until something happens to the stage.
func (s *Store) object(ctx context.Context, ref aloft.StageRef, id string) (*stage, error) {
	found, key := &stage{}, stageKey(ref, id)
	if _, err := load(ctx, s.bucket, key, found); err != nil && !errors.Is(err, errMissing) {
		return nil, s.bucket.final("read stage "+ref.String(), key, err)
	}
	return found, nil
}

// changeStage changes stage.json in one write. Change is given the prefix of the stage's keys.
func changeStage[R any](ctx context.Context, s *Store, ref aloft.StageRef, change func(prefix string, st *stage) (R, error)) (result R, err error) {
	x, err := s.indexFor(ctx, ref)
	if err != nil {
		return result, err
	}
	entry, err := x.stage(ref)
	if err != nil {
		return result, err
	}
	key := stageKey(ref, entry.ID)
	result, err = update(ctx, s.bucket, key, func(st *stage) (R, error) { return change(stagePrefix(ref, entry.ID), st) })
	if errors.Is(err, errSame) {
		return result, nil
	}
	return result, s.bucket.final("change stage "+ref.String(), key, err)
}

// CreateStage implements aloft.StageStore.
func (s *Store) CreateStage(ctx context.Context, input aloft.Stage) error {
	if err := input.Check(); err != nil {
		return err
	}
	_, err := changeIndex(ctx, s, "create stage "+input.String(), func(x *index) (none, error) {
		app, err := x.app(input.App)
		if err != nil {
			return none{}, err
		}
		if app.Stages[input.Stage] != nil {
			return none{}, aloft.Errorf(aloft.Conflict, "app %q has a stage %q already", input.App, input.Stage)
		}
		for _, ref := range x.refs("") {
			if ref.Label() == input.Label() {
				return none{}, aloft.Errorf(aloft.Conflict, "stage %s would have the same host as stage %s", input.StageRef, ref).
					WithHint("use another name for the stage or the app")
			}
		}
		if app.Stages == nil {
			app.Stages = map[string]*stageEntry{}
		}
		app.Stages[input.Stage] = &stageEntry{ID: aloft.NewID(), CreatedAt: instant(input.CreatedAt)}
		return none{}, nil
	})
	return err
}

func view(ref aloft.StageRef, entry *stageEntry, found *stage) aloft.Stage {
	return aloft.Stage{StageRef: ref, Current: found.Current, Domains: entry.Domains, Stopped: found.Stopped, CreatedAt: entry.CreatedAt}
}

// Stage implements aloft.StageStore.
func (s *Store) Stage(ctx context.Context, ref aloft.StageRef) (aloft.Stage, error) {
	entry, found, err := s.look(ctx, ref)
	if err != nil {
		return aloft.Stage{}, err
	}
	return view(ref, entry, found), nil
}

// Stages implements aloft.StageStore.
func (s *Store) Stages(ctx context.Context, app string) ([]aloft.Stage, error) {
	x, err := s.index(ctx)
	if err != nil {
		return nil, err
	}
	refs := x.refs(app)
	stages := make([]aloft.Stage, len(refs))
	err = each(ctx, len(refs), func(ctx context.Context, i int) error {
		entry := x.Apps[refs[i].App].Stages[refs[i].Stage]
		found, err := s.object(ctx, refs[i], entry.ID)
		if err == nil {
			stages[i] = view(refs[i], entry, found)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return stages, nil
}

// each calls do with 0 to n-1, several at once.
func each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait() //nolint:wrapcheck // ours
}

// UpdateStage implements aloft.StageStore. Domains and Stopped are in two objects: a kill between their writes leaves the
// domains changed and Stopped not. Callers change one of the two, and then the other is not written.
func (s *Store) UpdateStage(ctx context.Context, input aloft.Stage) error {
	domains := slices.Clone(input.Domains)
	slices.Sort(domains)
	domains = slices.Compact(domains)
	_, err := changeIndex(ctx, s, "change the domains of "+input.String(), func(x *index) (none, error) {
		entry, err := x.stage(input.StageRef)
		if err != nil {
			return none{}, err
		}
		if err := x.free(domains, input.StageRef); err != nil {
			return none{}, err
		}
		if slices.Equal(entry.Domains, domains) {
			return none{}, errSame
		}
		entry.Domains = domains
		return none{}, nil
	})
	if err != nil {
		return err
	}
	_, err = changeStage(ctx, s, input.StageRef, func(_ string, st *stage) (none, error) {
		if st.Stopped == input.Stopped {
			return none{}, errSame
		}
		st.Stopped = input.Stopped
		return none{}, nil
	})
	return err
}

// free returns Conflict if another stage than ref has one of the domains.
func (x *index) free(domains []string, ref aloft.StageRef) error {
	for _, other := range x.refs("") {
		for _, domain := range x.Apps[other.App].Stages[other.Stage].Domains {
			if other != ref && slices.Contains(domains, domain) {
				return aloft.Errorf(aloft.Conflict, "domain %q belongs to stage %s", domain, other).WithHint("remove it there first")
			}
		}
	}
	return nil
}

// DeleteStage implements aloft.StageStore.
func (s *Store) DeleteStage(ctx context.Context, ref aloft.StageRef) error {
	id, err := changeIndex(ctx, s, "delete stage "+ref.String(), func(x *index) (string, error) {
		entry, err := x.stage(ref)
		if err != nil {
			return "", err
		}
		delete(x.Apps[ref.App].Stages, ref.Stage)
		return entry.ID, nil
	})
	if err != nil {
		return err
	}
	return s.clear(ctx, []string{stagePrefix(ref, id)})
}
