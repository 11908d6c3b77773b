package apitest

import (
	"cmp"
	"context"
	"slices"

	"github.com/aloft-run/aloft"
)

// later takes an event that nobody waits for: "fail" becomes a dead letter at once.
func (s *stage) later(input aloft.InvokeInput) aloft.Invoked {
	id := cmp.Or(input.RequestID, "4712")
	if string(input.Payload) == `"fail"` {
		s.dead = append(s.dead, aloft.DeadLetter{
			ID: id, Stage: input.Stage, Function: input.Function, Error: "TypeError: no", Attempts: 3, Payload: input.Payload,
		})
	}
	return aloft.Invoked{RequestID: id}
}

// Pending implements aloft.AsyncService: nothing waits.
func (f *Fake) Pending(_ context.Context, ref aloft.StageRef) (map[string]int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.find(ref)
	return map[string]int{}, err
}

// DeadLetters implements aloft.AsyncService.
func (f *Fake) DeadLetters(_ context.Context, ref aloft.StageRef, limit int) ([]aloft.DeadLetter, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.find(ref)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(s.dead)
	for i := range all {
		all[i].Payload = nil
	}
	if limit > 0 {
		all = all[:min(limit, len(all))]
	}
	return all, nil
}

// DeadLetter implements aloft.AsyncService.
func (f *Fake) DeadLetter(_ context.Context, ref aloft.StageRef, id string) (aloft.DeadLetter, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.find(ref)
	if err != nil {
		return aloft.DeadLetter{}, err
	}
	for _, l := range s.dead {
		if l.ID == id {
			return l, nil
		}
	}
	return aloft.DeadLetter{}, aloft.Errorf(aloft.NotFound, "%s has no dead letter %q", ref, id)
}

// Replay implements aloft.AsyncService: they succeed.
func (f *Fake) Replay(ctx context.Context, ref aloft.StageRef, ids []string) (int, error) {
	return f.RemoveDeadLetters(ctx, ref, ids)
}

// RemoveDeadLetters implements aloft.AsyncService.
func (f *Fake) RemoveDeadLetters(_ context.Context, ref aloft.StageRef, ids []string) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.find(ref)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if !slices.ContainsFunc(s.dead, func(l aloft.DeadLetter) bool { return l.ID == id }) {
			return 0, aloft.Errorf(aloft.NotFound, "%s has no dead letter %q", ref, id)
		}
	}
	before := len(s.dead)
	s.dead = slices.DeleteFunc(s.dead, func(l aloft.DeadLetter) bool { return len(ids) == 0 || slices.Contains(ids, l.ID) })
	return before - len(s.dead), nil
}
