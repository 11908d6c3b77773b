package mem

import (
	"context"
	"slices"

	"github.com/aloft-run/aloft"
)

// CreateStage implements aloft.StageStore.
func (s *Store) CreateStage(ctx context.Context, input aloft.Stage) error {
	if err := input.Check(); err != nil {
		return err
	}
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if _, ok := s.apps[input.App]; !ok {
		return noApp(input.App)
	}
	if _, ok := s.stages[input.StageRef]; ok {
		return aloft.Errorf(aloft.Conflict, "app %q has a stage %q already", input.App, input.Stage)
	}
	for ref := range s.stages {
		if ref.Label() == input.Label() {
			return aloft.Errorf(aloft.Conflict, "stage %s would have the same host as stage %s", input.StageRef, ref).
				WithHint("use another name for the stage or the app")
		}
	}
	s.stages[input.StageRef] = &stage{Stage: aloft.Stage{StageRef: input.StageRef, CreatedAt: instant(input.CreatedAt)}}
	return nil
}

// Stage implements aloft.StageStore.
func (s *Store) Stage(ctx context.Context, ref aloft.StageRef) (aloft.Stage, error) {
	if err := s.lock(ctx); err != nil {
		return aloft.Stage{}, err
	}
	defer s.mu.Unlock()
	found, err := s.find(ref)
	if err != nil {
		return aloft.Stage{}, err
	}
	return found.Stage.Clone(), nil
}

// Stages implements aloft.StageStore.
func (s *Store) Stages(ctx context.Context, app string) ([]aloft.Stage, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var stages []aloft.Stage
	for _, ref := range s.sorted(app) {
		stages = append(stages, s.stages[ref].Stage.Clone())
	}
	return stages, nil
}

// UpdateStage implements aloft.StageStore.
func (s *Store) UpdateStage(ctx context.Context, input aloft.Stage) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	found, err := s.find(input.StageRef)
	if err != nil {
		return err
	}
	for _, domain := range input.Domains {
		for ref, other := range s.stages {
			if other != found && slices.Contains(other.Domains, domain) {
				return aloft.Errorf(aloft.Conflict, "domain %q belongs to stage %s", domain, ref).
					WithHint("remove it there first")
			}
		}
	}
	domains := slices.Clone(input.Domains)
	slices.Sort(domains)
	found.Domains, found.Stopped = slices.Compact(domains), input.Stopped
	return nil
}

// DeleteStage implements aloft.StageStore.
func (s *Store) DeleteStage(ctx context.Context, ref aloft.StageRef) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if _, err := s.find(ref); err != nil {
		return err
	}
	delete(s.stages, ref)
	return nil
}
