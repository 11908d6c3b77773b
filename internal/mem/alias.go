package mem

import (
	"cmp"
	"context"
	"slices"

	"github.com/aloft-run/aloft"
)

// aliasKey names an alias of a stage.
type aliasKey struct{ function, name string }

// CreateAlias implements aloft.AliasStore.
func (s *Store) CreateAlias(ctx context.Context, alias aloft.Alias) (aloft.Alias, error) {
	return s.putAlias(ctx, alias, func(_ aloft.Alias, exists bool) error { return alias.Creates(exists) })
}

// UpdateAlias implements aloft.AliasStore.
func (s *Store) UpdateAlias(ctx context.Context, alias aloft.Alias) (aloft.Alias, error) {
	return s.putAlias(ctx, alias, func(old aloft.Alias, exists bool) error { return alias.Replaces(old.Revision, exists) })
}

// putAlias stores an alias if allow lets it.
func (s *Store) putAlias(ctx context.Context, alias aloft.Alias, allow func(old aloft.Alias, exists bool) error) (aloft.Alias, error) {
	if err := alias.Check(); err != nil {
		return aloft.Alias{}, err
	}
	if err := s.lock(ctx); err != nil {
		return aloft.Alias{}, err
	}
	defer s.mu.Unlock()
	found, err := s.find(alias.StageRef)
	if err != nil {
		return aloft.Alias{}, err
	}
	key := aliasKey{alias.Function, alias.Name}
	old, exists := found.aliases[key]
	if err := allow(old, exists); err != nil {
		return aloft.Alias{}, err
	}
	for _, version := range alias.Versions() {
		if _, release, err := s.release(alias.StageRef, version); err != nil {
			return aloft.Alias{}, err
		} else if release.Status != aloft.Succeeded {
			return aloft.Alias{}, aloft.Errorf(aloft.Conflict, "release v%d of %s is %s", version, alias.StageRef, release.Status)
		}
	}
	alias = alias.Clone()
	alias.Revision, alias.UpdatedAt = aloft.NewID(), instant(alias.UpdatedAt)
	if found.aliases == nil {
		found.aliases = map[aliasKey]aloft.Alias{}
	}
	found.aliases[key] = alias
	return alias.Clone(), nil
}

// DeleteAlias implements aloft.AliasStore.
func (s *Store) DeleteAlias(ctx context.Context, ref aloft.StageRef, function, name string) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	found, err := s.find(ref)
	if err != nil {
		return err
	}
	key := aliasKey{function, name}
	if _, ok := found.aliases[key]; !ok {
		return aloft.NoAlias(ref, name)
	}
	delete(found.aliases, key)
	return nil
}

// Aliases implements aloft.AliasStore.
func (s *Store) Aliases(ctx context.Context, ref aloft.StageRef) ([]aloft.Alias, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	found, err := s.find(ref)
	if err != nil {
		return nil, err
	}
	var aliases []aloft.Alias
	for _, a := range found.aliases {
		aliases = append(aliases, a.Clone())
	}
	slices.SortFunc(aliases, func(a, b aloft.Alias) int {
		return cmp.Or(cmp.Compare(a.Function, b.Function), cmp.Compare(a.Name, b.Name))
	})
	return aliases, nil
}
