package mem

import (
	"context"
	"slices"

	"github.com/aloft-run/aloft"
)

// CreateRelease implements aloft.ReleaseStore.
func (s *Store) CreateRelease(ctx context.Context, release aloft.Release) (aloft.Release, error) {
	if err := s.lock(ctx); err != nil {
		return aloft.Release{}, err
	}
	defer s.mu.Unlock()
	found, err := s.find(release.StageRef)
	if err != nil {
		return aloft.Release{}, err
	}
	release = release.Clone()
	release.Version, release.Status, release.Reason = len(found.releases)+1, aloft.Pending, ""
	release.CreatedAt = instant(release.CreatedAt)
	found.releases = append(found.releases, release)
	return release.Clone(), nil
}

// FinishRelease implements aloft.ReleaseStore.
func (s *Store) FinishRelease(ctx context.Context, ref aloft.StageRef, version int, reason string) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	found, release, err := s.release(ref, version)
	switch {
	case err != nil:
		return err
	case release.Status != aloft.Pending:
		return aloft.Errorf(aloft.Conflict, "release v%d of %s is %s already", version, ref, release.Status)
	case reason != "":
		release.Status, release.Reason = aloft.Broken, reason
	default:
		release.Status = aloft.Succeeded
		found.Current, found.Stopped = version, false
	}
	return nil
}

// Release implements aloft.ReleaseStore.
func (s *Store) Release(ctx context.Context, ref aloft.StageRef, version int) (aloft.Release, error) {
	if err := s.lock(ctx); err != nil {
		return aloft.Release{}, err
	}
	defer s.mu.Unlock()
	_, release, err := s.release(ref, version)
	if err != nil {
		return aloft.Release{}, err
	}
	return release.Clone(), nil
}

// release finds a release in place; the caller holds the lock.
func (s *Store) release(ref aloft.StageRef, version int) (*stage, *aloft.Release, error) {
	found, err := s.find(ref)
	if err != nil {
		return nil, nil, err
	}
	if version < 1 || version > len(found.releases) {
		return nil, nil, aloft.Errorf(aloft.NotFound, "stage %s has no release v%d", ref, version)
	}
	return found, &found.releases[version-1], nil
}

// Releases implements aloft.ReleaseStore.
func (s *Store) Releases(ctx context.Context, ref aloft.StageRef, limit int) ([]aloft.Release, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	found, err := s.find(ref)
	if err != nil {
		return nil, err
	}
	var releases []aloft.Release
	for _, release := range slices.Backward(found.releases) {
		if limit > 0 && len(releases) == limit {
			break
		}
		releases = append(releases, release.Clone())
	}
	return releases, nil
}

// Digests implements aloft.ReleaseStore.
func (s *Store) Digests(ctx context.Context) (map[string]bool, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	digests := map[string]bool{}
	for _, stage := range s.stages {
		for _, release := range stage.releases {
			for _, digest := range release.Digests() {
				digests[digest] = true
			}
		}
	}
	return digests, nil
}
