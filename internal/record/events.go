package record

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/aloft-run/aloft"
)

// maxEvents is how many test events a stage may have.
const maxEvents = 500

func (s *Store) eventFile(ref aloft.StageRef, function, name string) string {
	return filepath.Join(s.stageDir(ref), eventsDir, function, name+".json")
}

// SaveTestEvent implements aloft.TestEvents.
func (s *Store) SaveTestEvent(ctx context.Context, ref aloft.StageRef, event aloft.TestEvent) error {
	if err := errors.Join(ref.Check(), aloft.CheckName("function", event.Function), aloft.CheckName("test event", event.Name)); err != nil {
		return err
	}
	if !json.Valid(event.Event) || len(event.Event) > maxSize {
		return aloft.Errorf(aloft.Invalid, "a test event is JSON of at most %d KB", maxSize>>10)
	}
	if err := s.check(ctx, ref, event.Function); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	files, _ := filepath.Glob(s.eventFile(ref, "*", "*")) // the pattern is a good one
	if len(files) >= maxEvents {
		return aloft.Errorf(aloft.Conflict, "%s has %d test events, which are the most", ref, maxEvents).WithHint("remove some: aloft test-events remove")
	}
	return write(s.eventFile(ref, event.Function, event.Name), event.Event)
}

// TestEvents implements aloft.TestEvents.
func (s *Store) TestEvents(ctx context.Context, ref aloft.StageRef) ([]aloft.TestEvent, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []aloft.TestEvent{}
	files, _ := filepath.Glob(s.eventFile(ref, "*", "*")) // as above; sorted
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || !json.Valid(text) {
			continue // one damaged file must not hide the others
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		all = append(all, aloft.TestEvent{Function: filepath.Base(filepath.Dir(file)), Name: name, Event: bytes.Clone(text)})
	}
	return all, nil
}

// DeleteTestEvent implements aloft.TestEvents.
func (s *Store) DeleteTestEvent(_ context.Context, ref aloft.StageRef, function, name string) error {
	if err := errors.Join(ref.Check(), aloft.CheckName("function", function), aloft.CheckName("test event", name)); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err := os.Remove(s.eventFile(ref, function, name))
	if errors.Is(err, fs.ErrNotExist) {
		return aloft.Errorf(aloft.NotFound, "%s of %s has no test event %q", function, ref, name).WithHint("aloft test-events lists them")
	}
	return err
}
