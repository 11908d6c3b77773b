package s3

import (
	"cmp"
	"context"
	"slices"

	"github.com/aloft-run/aloft"
)

// CreateAlias implements aloft.AliasStore.
func (s *Store) CreateAlias(ctx context.Context, alias aloft.Alias) (aloft.Alias, error) {
	return s.putAlias(ctx, alias, func(_ aloft.Alias, exists bool) error { return alias.Creates(exists) })
}

// UpdateAlias implements aloft.AliasStore.
func (s *Store) UpdateAlias(ctx context.Context, alias aloft.Alias) (aloft.Alias, error) {
	return s.putAlias(ctx, alias, func(old aloft.Alias, exists bool) error { return alias.Replaces(old.Revision, exists) })
}

// byName is the order of aliases.
func byName(a, b aloft.Alias) int {
	return cmp.Or(cmp.Compare(a.Function, b.Function), cmp.Compare(a.Name, b.Name))
}

// putAlias stores an alias if allow lets it.
func (s *Store) putAlias(ctx context.Context, alias aloft.Alias, allow func(old aloft.Alias, exists bool) error) (aloft.Alias, error) {
	if err := alias.Check(); err != nil {
		return aloft.Alias{}, err
	}
	return changeStage(ctx, s, alias.StageRef, func(_ string, st *stage) (aloft.Alias, error) {
		at, exists := slices.BinarySearchFunc(st.Aliases, alias, byName)
		old := aloft.Alias{}
		if exists {
			old = st.Aliases[at]
		}
		if err := allow(old, exists); err != nil {
			return aloft.Alias{}, err
		}
		if err := st.succeeded(alias); err != nil {
			return aloft.Alias{}, err
		}
		made := alias.Clone()
		made.Revision, made.UpdatedAt = aloft.NewID(), instant(made.UpdatedAt)
		if exists {
			st.Aliases[at] = made
		} else {
			st.Aliases = slices.Insert(st.Aliases, at, made)
		}
		return made.Clone(), nil
	})
}

// succeeded returns NotFound or Conflict unless all releases of the alias succeeded.
func (s *stage) succeeded(alias aloft.Alias) error {
	for _, version := range alias.Versions() {
		if !s.has(version) {
			return noRelease(alias.StageRef, version)
		}
		if status, _ := s.status(version); status != aloft.Succeeded {
			return aloft.Errorf(aloft.Conflict, "release v%d of %s is %s", version, alias.StageRef, status)
		}
	}
	return nil
}

// DeleteAlias implements aloft.AliasStore.
func (s *Store) DeleteAlias(ctx context.Context, ref aloft.StageRef, function, name string) error {
	_, err := changeStage(ctx, s, ref, func(_ string, st *stage) (none, error) {
		at, exists := slices.BinarySearchFunc(st.Aliases, aloft.Alias{Function: function, Name: name}, byName)
		if !exists {
			return none{}, aloft.NoAlias(ref, name)
		}
		st.Aliases = slices.Delete(st.Aliases, at, at+1)
		return none{}, nil
	})
	return err
}

// Aliases implements aloft.AliasStore.
func (s *Store) Aliases(ctx context.Context, ref aloft.StageRef) ([]aloft.Alias, error) {
	_, found, err := s.look(ctx, ref)
	if err != nil {
		return nil, err
	}
	return found.Aliases, nil
}
