package s3

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aloft-run/aloft"
)

// older is a release that is not the newest of its stage, as it was created.
type older struct {
	head
	Release aloft.Release `json:"release"`
}

func releaseKey(prefix string, version int) string {
	return fmt.Sprintf("%sreleases/%d.json", prefix, version)
}

// CreateRelease implements aloft.ReleaseStore.
func (s *Store) CreateRelease(ctx context.Context, release aloft.Release) (aloft.Release, error) {
	return changeStage(ctx, s, release.StageRef, func(prefix string, st *stage) (aloft.Release, error) {
		if err := s.shelve(ctx, prefix, st.Newest); err != nil {
			return aloft.Release{}, err
		}
		made := release.Clone()
		made.Version, made.Status, made.Reason = st.last()+1, aloft.Pending, ""
		made.CreatedAt = instant(made.CreatedAt)
		st.Newest, st.Pending = &made, append(st.Pending, made.Version)
		return made.Clone(), nil
	})
}

// Adopt begins the history of a stage that has none with a release whose record was lost, under the number that it had and as one
// that serves: the next release has the next number. It returns Conflict if the stage has releases.
func (s *Store) Adopt(ctx context.Context, release aloft.Release) (aloft.Release, error) {
	return changeStage(ctx, s, release.StageRef, func(_ string, st *stage) (aloft.Release, error) {
		if st.Newest != nil {
			return aloft.Release{}, aloft.Errorf(aloft.Conflict, "stage %s has releases, up to v%d", release.StageRef, st.last())
		}
		made := release.Clone()
		made.Status, made.Reason = aloft.Pending, "" // as it was created; what became of it is the stage's to say
		made.CreatedAt = instant(made.CreatedAt)
		st.Newest, st.First, st.Current, st.Stopped = &made, made.Version, made.Version, false
		adopted := made.Clone()
		adopted.Status = aloft.Succeeded
		return adopted, nil
	})
}

// shelve stores what was the newest release in an object of its own.
func (s *Store) shelve(ctx context.Context, prefix string, release *aloft.Release) error {
	if release == nil {
		return nil
	}
	key := releaseKey(prefix, release.Version)
	data, err := encode(older{head: head{Format: format, Key: key}, Release: *release})
	if err != nil {
		return err
	}
	for attempt := range maxUnsure {
		if err := pause(ctx, attempt); err != nil {
			return s.bucket.fail(ctx, "write", key, err)
		}
		_, err = s.bucket.write(ctx, key, data, "")
		if err == nil {
			return nil
		}
		if errors.Is(err, errRaced) { // it is there, and all who shelve it write the same; or others are about to write it
			if _, missing := s.bucket.read(ctx, key); missing == nil {
				return nil
			}
		}
	}
	return s.bucket.final("store release", key, err)
}

// FinishRelease implements aloft.ReleaseStore.
func (s *Store) FinishRelease(ctx context.Context, ref aloft.StageRef, version int, reason string) error {
	_, err := changeStage(ctx, s, ref, func(_ string, st *stage) (none, error) {
		if !st.has(version) {
			return none{}, noRelease(ref, version)
		}
		if status, _ := st.status(version); status != aloft.Pending {
			return none{}, aloft.Errorf(aloft.Conflict, "release v%d of %s is %s already", version, ref, status)
		}
		st.Pending = slices.DeleteFunc(st.Pending, func(v int) bool { return v == version })
		if reason == "" {
			st.Current, st.Stopped = version, false
			return none{}, nil
		}
		if st.Failed == nil {
			st.Failed = map[int]string{}
		}
		st.Failed[version] = reason
		return none{}, nil
	})
	return err
}

func noRelease(ref aloft.StageRef, version int) error {
	return aloft.Errorf(aloft.NotFound, "stage %s has no release v%d", ref, version)
}

// Release implements aloft.ReleaseStore.
func (s *Store) Release(ctx context.Context, ref aloft.StageRef, version int) (aloft.Release, error) {
	entry, found, err := s.look(ctx, ref)
	if err != nil {
		return aloft.Release{}, err
	}
	if !found.has(version) {
		return aloft.Release{}, noRelease(ref, version)
	}
	return s.release(ctx, ref, entry, found, version)
}

// Current returns a stage with its current release, the zero one before the first, as both are at one moment. It returns NotFound if
// there is no such stage.
func (s *Store) Current(ctx context.Context, ref aloft.StageRef) (aloft.Stage, aloft.Release, error) {
	entry, found, err := s.look(ctx, ref)
	if err != nil {
		return aloft.Stage{}, aloft.Release{}, err
	}
	stage := view(ref, entry, found)
	if stage.Current == 0 {
		return stage, aloft.Release{}, nil
	}
	release, err := s.release(ctx, ref, entry, found, stage.Current)
	return stage, release, err
}

// release reads a release that the stage has.
func (s *Store) release(ctx context.Context, ref aloft.StageRef, entry *stageEntry, found *stage, version int) (aloft.Release, error) {
	release := found.Newest.Clone()
	if version != release.Version {
		key, doc := releaseKey(stagePrefix(ref, entry.ID), version), &older{}
		if _, err := load(ctx, s.bucket, key, doc); err != nil {
			return aloft.Release{}, s.bucket.final(fmt.Sprintf("read release v%d of %s", version, ref), key, err)
		}
		release = doc.Release
	}
	if release.StageRef != ref || release.Version != version {
		return aloft.Release{}, aloft.Errorf(aloft.Internal, "%s is damaged: it holds v%d of %s in place of v%d of %s",
			s.bucket.place(stagePrefix(ref, entry.ID)), release.Version, release.StageRef, version, ref)
	}
	release.Status, release.Reason = found.status(version)
	return release, nil
}

// Releases implements aloft.ReleaseStore.
func (s *Store) Releases(ctx context.Context, ref aloft.StageRef, limit int) ([]aloft.Release, error) {
	entry, found, err := s.look(ctx, ref)
	if err != nil {
		return nil, err
	}
	n := found.count()
	if limit > 0 {
		n = min(n, limit)
	}
	releases := make([]aloft.Release, n)
	err = each(ctx, n, func(ctx context.Context, i int) (err error) {
		releases[i], err = s.release(ctx, ref, entry, found, found.last()-i)
		return err
	})
	if err != nil {
		return nil, err
	}
	return releases, nil
}

// summary holds the digests that the releases up to UpTo name.
type summary struct {
	head
	UpTo    int      `json:"upTo"`
	Digests []string `json:"digests"`
}

// worthSummary is how many releases are read one by one before a summary of them is written.
const worthSummary = 32

// Digests implements aloft.ReleaseStore.
func (s *Store) Digests(ctx context.Context) (map[string]bool, error) {
	x, err := s.index(ctx)
	if err != nil {
		return nil, err
	}
	digests := map[string]bool{}
	for _, ref := range x.refs("") {
		if err := s.addDigests(ctx, ref, x.Apps[ref.App].Stages[ref.Stage], digests); err != nil {
			return nil, err
		}
	}
	return digests, nil
}

// addDigests adds those of a stage. A summary only saves work: what is wrong with reading or writing one is of no matter.
func (s *Store) addDigests(ctx context.Context, ref aloft.StageRef, entry *stageEntry, into map[string]bool) error {
	found, err := s.object(ctx, ref, entry.ID)
	if err != nil || found.last() == 0 {
		return err
	}
	key, sum := stagePrefix(ref, entry.ID)+"digests.json", &summary{}
	var old object
	if found.last() > worthSummary {
		if old, err = load(ctx, s.bucket, key, sum); err != nil || sum.UpTo > found.last() {
			sum = &summary{}
		}
	}
	sum.UpTo = max(sum.UpTo, found.First-1)
	lists := make([][]string, found.last()-sum.UpTo)
	err = each(ctx, len(lists), func(ctx context.Context, i int) error {
		release, err := s.release(ctx, ref, entry, found, sum.UpTo+1+i)
		lists[i] = release.Digests()
		return err
	})
	if err != nil {
		return err
	}
	all := map[string]bool{}
	for _, digest := range slices.Concat(append(lists, sum.Digests)...) {
		all[digest], into[digest] = true, true
	}
	if len(lists) > worthSummary {
		next := summary{head: head{Format: format, Key: key}, UpTo: found.last(), Digests: slices.Sorted(maps.Keys(all))}
		if data, err := encode(next); err == nil {
			_, _ = s.bucket.write(ctx, key, data, old.etag)
		}
	}
	return nil
}
