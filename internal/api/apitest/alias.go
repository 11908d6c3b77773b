package apitest

import (
	"context"
	"slices"

	"github.com/aloft-run/aloft"
)

// CreateAlias implements aloft.AliasStore.
func (f *Fake) CreateAlias(_ context.Context, alias aloft.Alias) (aloft.Alias, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.find(alias.StageRef)
	if err != nil {
		return aloft.Alias{}, err
	}
	if s.alias(alias.Function, alias.Name) >= 0 {
		return aloft.Alias{}, aloft.Errorf(aloft.Conflict, "there is an alias %q", alias.Name)
	}
	alias.Revision = aloft.NewID()
	s.aliases = append(s.aliases, alias.Clone())
	return alias, nil
}

// UpdateAlias implements aloft.AliasStore.
func (f *Fake) UpdateAlias(_ context.Context, alias aloft.Alias) (aloft.Alias, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.find(alias.StageRef)
	if err != nil {
		return aloft.Alias{}, err
	}
	at := s.alias(alias.Function, alias.Name)
	if at < 0 {
		return aloft.Alias{}, aloft.Errorf(aloft.NotFound, "there is no alias %q", alias.Name)
	}
	alias.Revision = aloft.NewID()
	s.aliases[at] = alias.Clone()
	return alias, nil
}

// DeleteAlias implements aloft.AliasStore.
func (f *Fake) DeleteAlias(_ context.Context, ref aloft.StageRef, function, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.find(ref)
	if err != nil {
		return err
	}
	at := s.alias(function, name)
	if at < 0 {
		return aloft.Errorf(aloft.NotFound, "there is no alias %q", name)
	}
	s.aliases = slices.Delete(s.aliases, at, at+1)
	return nil
}

// Aliases implements aloft.AliasStore.
func (f *Fake) Aliases(_ context.Context, ref aloft.StageRef) ([]aloft.Alias, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.find(ref)
	if err != nil {
		return nil, err
	}
	return slices.Clone(s.aliases), nil
}

// alias is the index of an alias, -1 if there is none.
func (s *stage) alias(function, name string) int {
	return slices.IndexFunc(s.aliases, func(a aloft.Alias) bool { return a.Function == function && a.Name == name })
}
