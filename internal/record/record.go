// Package record keeps events that functions worked on, with their replies, and events under names to try functions with:
// files below one directory, a directory for each stage. It masks what looks like a secret before anything is written. It
// invokes nothing.
package record

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aloft-run/aloft"
)

// The bounds of what is kept.
const (
	MaxTime = 24 * time.Hour // for which events of a function are recorded
	maxKept = 200            // recordings of a stage: newer ones take the place of older ones
	maxSize = 512 << 10      // bytes of an event or a reply: larger ones are left out
)

var (
	_ aloft.Recorder   = (*Store)(nil)
	_ aloft.TestEvents = (*Store)(nil)
)

// Store keeps recordings and test events. It is safe for concurrent use; one process at a time may have a directory.
type Store struct {
	dir   string
	check func(ctx context.Context, ref aloft.StageRef, function string) error

	mu     sync.Mutex
	wanted atomic.Pointer[map[key]time.Time] // until when; replaced, never changed. nil: not read yet
}

type key struct {
	ref      aloft.StageRef
	function string
}

// New returns a Store in a directory, which is made when something is kept. Check returns an error for what is no handler
// function of a stage.
func New(dir string, check func(ctx context.Context, ref aloft.StageRef, function string) error) *Store {
	return &Store{dir: dir, check: check}
}

func (s *Store) stageDir(ref aloft.StageRef) string { return filepath.Join(s.dir, ref.App, ref.Stage) }

const (
	recordingsDir = "recordings"
	eventsDir     = "events"
	stateFile     = "recording.json"
)

// Delete removes all that is kept of a stage.
func (s *Store) Delete(ref aloft.StageRef) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := maps.Clone(s.states())
	maps.DeleteFunc(wanted, func(k key, _ time.Time) bool { return k.ref == ref })
	s.wanted.Store(&wanted)
	if err := os.RemoveAll(s.stageDir(ref)); err != nil {
		return fmt.Errorf("remove the recordings of %s: %w", ref, err)
	}
	_ = os.Remove(filepath.Dir(s.stageDir(ref))) // the app's, if this was its last stage
	return nil
}

// states are the functions that are recorded. The caller holds s.mu. They are read from the disk the first time.
func (s *Store) states() map[key]time.Time {
	if known := s.wanted.Load(); known != nil {
		return *known
	}
	all := map[key]time.Time{}
	files, _ := filepath.Glob(filepath.Join(s.dir, "*", "*", stateFile)) // the pattern is a good one
	for _, file := range files {
		var states []aloft.RecorderState
		if read(file, &states) != nil {
			continue // it is recorded no more: that is what a damaged file costs
		}
		stage := filepath.Dir(file)
		for _, state := range states {
			all[key{aloft.StageRef{App: filepath.Base(filepath.Dir(stage)), Stage: filepath.Base(stage)}, state.Function}] = state.Until
		}
	}
	s.wanted.Store(&all)
	return all
}

// Wants reports whether an event of a function is to be kept now.
func (s *Store) Wants(ref aloft.StageRef, function string) bool {
	known := s.wanted.Load()
	if known == nil {
		s.mu.Lock()
		all := s.states()
		s.mu.Unlock()
		known = &all
	}
	if len(*known) == 0 {
		return false
	}
	until, ok := (*known)[key{ref, function}]
	return ok && time.Now().Before(until)
}

// Record implements aloft.Recorder.
func (s *Store) Record(ctx context.Context, ref aloft.StageRef, function string, until time.Time) error {
	if err := errors.Join(ref.Check(), aloft.CheckName("function", function)); err != nil {
		return err
	}
	if left := time.Until(until); !until.IsZero() && (left <= 0 || left > MaxTime+time.Minute) {
		return aloft.Errorf(aloft.Invalid, "events are recorded for %s at most, not for %s", MaxTime, left.Round(time.Second))
	}
	if err := s.check(ctx, ref, function); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := maps.Clone(s.states())
	delete(wanted, key{ref, function})
	if !until.IsZero() {
		wanted[key{ref, function}] = until
	}
	if err := write(filepath.Join(s.stageDir(ref), stateFile), statesOf(wanted, ref)); err != nil {
		return err
	}
	s.wanted.Store(&wanted)
	return nil
}

// Recorded implements aloft.Recorder.
func (s *Store) Recorded(ctx context.Context, ref aloft.StageRef) ([]aloft.RecorderState, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return statesOf(s.states(), ref), nil
}

// statesOf are those of a stage that are not over, by function.
func statesOf(all map[key]time.Time, ref aloft.StageRef) []aloft.RecorderState {
	states := []aloft.RecorderState{}
	for k, until := range all {
		if k.ref == ref && time.Now().Before(until) {
			states = append(states, aloft.RecorderState{Function: k.function, Until: until})
		}
	}
	slices.SortFunc(states, func(a, b aloft.RecorderState) int { return cmp.Compare(a.Function, b.Function) })
	return states
}

// Keep keeps an event and its reply with the next id, what looks like a secret masked, and all that contains one of the
// secrets. What is too large or no JSON is not kept.
func (s *Store) Keep(ref aloft.StageRef, r aloft.Recording, secrets []string) error {
	if len(r.Event) > maxSize || !json.Valid(r.Event) {
		return nil
	}
	if len(r.Reply) > maxSize || !json.Valid(r.Reply) {
		r.Reply = nil
	}
	m := newMasker(secrets)
	r.Event, r.Reply = m.mask(r.Event), m.mask(r.Reply)
	r.Masked = m.count
	s.mu.Lock()
	defer s.mu.Unlock()
	ids, err := s.ids(ref)
	if err != nil {
		return err
	}
	r.ID = 1
	if len(ids) > 0 {
		r.ID = ids[len(ids)-1] + 1
	}
	for len(ids) >= maxKept {
		_ = os.Remove(s.file(ref, ids[0])) // the next one tries again
		ids = ids[1:]
	}
	return write(s.file(ref, r.ID), r)
}

func (s *Store) file(ref aloft.StageRef, id int) string {
	return filepath.Join(s.stageDir(ref), recordingsDir, strconv.Itoa(id)+".json")
}

// ids are those of a stage's recordings, the oldest first.
func (s *Store) ids(ref aloft.StageRef) ([]int, error) {
	entries, err := os.ReadDir(filepath.Join(s.stageDir(ref), recordingsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list recordings: %w", err)
	}
	var ids []int
	for _, e := range entries {
		if id, err := strconv.Atoi(strings.TrimSuffix(e.Name(), ".json")); err == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// Recordings implements aloft.Recorder.
func (s *Store) Recordings(ctx context.Context, ref aloft.StageRef, function string) ([]aloft.Recording, error) {
	ids, err := s.ids(ref)
	if err != nil {
		return nil, err
	}
	all := []aloft.Recording{}
	for _, id := range slices.Backward(ids) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r, err := s.Recording(ctx, ref, id)
		if err == nil && (function == "" || r.Function == function) { // it may just have been removed
			all = append(all, r)
		}
	}
	return all, nil
}

// Recording implements aloft.Recorder.
func (s *Store) Recording(_ context.Context, ref aloft.StageRef, id int) (aloft.Recording, error) {
	var r aloft.Recording
	err := read(s.file(ref, id), &r)
	if errors.Is(err, fs.ErrNotExist) {
		return r, aloft.Errorf(aloft.NotFound, "%s has no recording %d", ref, id).WithHint("aloft records lists them; the last %d are kept", maxKept)
	}
	return r, err
}

func read(file string, into any) error {
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("read what was recorded: %w", err)
	}
	return nil
}

// write replaces a file. It is for the owner's eyes only.
func write(file string, value any) error {
	text, err := json.Marshal(value)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o700)
	}
	if err == nil {
		err = os.WriteFile(file+".new", text, 0o600)
	}
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		return fmt.Errorf("keep what was recorded: %w", err)
	}
	return nil
}
