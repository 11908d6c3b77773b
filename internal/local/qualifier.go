package local

import (
	"context"
	"math/rand/v2"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/function"
)

// Releases is where the platform finds what qualifiers name.
type Releases interface {
	// Release returns NotFound if there is no such release.
	Release(ctx context.Context, ref aloft.StageRef, version int) (aloft.Release, error)
	// Aliases lists a stage's aliases.
	Aliases(ctx context.Context, ref aloft.StageRef) ([]aloft.Alias, error)
}

// AliasesChanged makes the platform look at a stage's aliases again. Until it is called they count as they were.
func (p *Platform) AliasesChanged(ref aloft.StageRef) {
	if s := p.known(ref); s != nil {
		s.aliasMu.Lock() // who reads them now may have read the old ones
		defer s.aliasMu.Unlock()
		s.aliases.Store(nil)
	}
}

// aliasesOf returns the aliases of a stage, from memory but for the first time.
func (p *Platform) aliasesOf(ctx context.Context, s *stage) ([]aloft.Alias, error) {
	if known := s.aliases.Load(); known != nil {
		return *known, nil
	}
	if p.Releases == nil {
		return nil, nil
	}
	s.aliasMu.Lock()
	defer s.aliasMu.Unlock()
	list, err := p.Releases.Aliases(ctx, s.ref)
	if err != nil {
		return nil, err
	}
	s.aliases.Store(&list)
	return list, nil
}

// version is the release that a qualifier names for a function, 0 for the current one, which the stage's own name is an alias
// of. An alias with weights names another one each time.
func (p *Platform) version(ctx context.Context, s *stage, name, qualifier string) (int, error) {
	if qualifier == aloft.LatestVersion {
		return 0, nil
	}
	aliases, err := p.aliasesOf(ctx, s)
	if err != nil {
		return 0, err
	}
	if qualifier == "" {
		qualifier = aloft.CurrentAlias
	}
	if _, own := aloft.FindAlias(aliases, name, qualifier); !own && qualifier == s.ref.Stage {
		qualifier = aloft.CurrentAlias
	}
	if alias, ok := aloft.FindAlias(aliases, name, qualifier); ok {
		return alias.Pick(rand.Float64()), nil //nolint:gosec // shares, no secrets
	}
	if version, ok := aloft.ParseVersion(qualifier); ok {
		return version, nil
	}
	if qualifier == aloft.CurrentAlias {
		return 0, nil
	}
	return 0, aloft.Errorf(aloft.NotFound, "%s of %s has no release or alias %q", name, s.ref, qualifier).
		WithHint("aloft releases and aloft aliases list them")
}

// target is where a call goes.
type target struct {
	gate    *function.Gate
	release int
	leave   func() // must be called when the call is over
}

// target finds a function at the release that a qualifier names, if it may be invoked now.
func (p *Platform) target(ctx context.Context, ref aloft.StageRef, name, qualifier string) (target, error) {
	return p.reserve(ctx, ref, name, func() (target, error) { return p.qualified(ctx, ref, name, qualifier) })
}

func (p *Platform) qualified(ctx context.Context, ref aloft.StageRef, name, qualifier string) (target, error) {
	s := p.known(ref)
	if s == nil {
		return target{}, aloft.Errorf(aloft.NotFound, "nothing of %s is deployed", ref).WithHint("deploy it first: aloft up %s", ref.Stage)
	}
	version, err := p.version(ctx, s, name, qualifier)
	if err != nil {
		return target{}, err
	}
	if version == 0 || version == s.version() {
		gate, release, err := s.handler(name)
		return target{gate, release, func() {}}, err
	}
	return p.sides.enter(ctx, s, version, name)
}

// share finds where a request for a function goes, by the weights of the alias "current". Most stages have none.
func (p *Platform) share(ctx context.Context, s *stage, name string, current target) (target, error) {
	version, err := p.version(ctx, s, name, "")
	if err != nil || version == 0 || version == current.release {
		return current, err
	}
	other, err := p.sides.enter(ctx, s, version, name)
	if aloft.ErrorCode(err) == aloft.NotFound { // it did not have the function yet
		return current, nil
	}
	return other, err
}
