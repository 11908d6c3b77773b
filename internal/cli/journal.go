package cli

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/logs"
)

// journal is the logs of the apps, which one server at a time may write: a server that takes another's place keeps its lines
// until they are its to write, and the other sends its last ones.
type journal struct {
	mu    sync.RWMutex
	store *logs.Store                         // nil while another server has it
	send  func(aloft.StageRef, aloft.LogLine) // to the server that has it; nil if that is not known yet
	kept  []keptLine                          // until then
	keep  sync.Mutex                          // of kept
}

type keptLine struct {
	ref  aloft.StageRef
	line aloft.LogLine
}

// maxKept bounds the lines that are kept. What comes while apps start is far less.
const maxKept = 100_000

var _ aloft.LogService = (*journal)(nil)

// Append takes a line.
func (j *journal) Append(ref aloft.StageRef, line aloft.LogLine) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if j.store != nil {
		j.store.Append(ref, line)
		return
	}
	if line.Time.IsZero() {
		line.Time = time.Now()
	}
	if j.send != nil {
		j.send(ref, line)
		return
	}
	j.keep.Lock()
	defer j.keep.Unlock()
	if len(j.kept) < maxKept {
		j.kept = append(j.kept, keptLine{ref, line})
	}
}

// own makes the logs this server's, with what was kept.
func (j *journal) own(store *logs.Store) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, k := range j.kept {
		store.Append(k.ref, k.line)
	}
	j.store, j.send, j.kept = store, nil, nil
}

// pass writes everything, and sends what comes from now on elsewhere.
func (j *journal) pass(send func(aloft.StageRef, aloft.LogLine)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	store := j.store
	j.store, j.send = nil, send
	return store.Close()
}

// Close writes what is left, if the logs are this server's.
func (j *journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.store == nil {
		return nil
	}
	return j.store.Close()
}

// current returns the store, Unavailable if another server has it.
func (j *journal) current() (*logs.Store, error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if j.store == nil {
		return nil, aloft.Errorf(aloft.Unavailable, "the aloft server is being replaced by another one").WithHint("type the same command again")
	}
	return j.store, nil
}

// Logs implements aloft.LogService.
func (j *journal) Logs(ctx context.Context, query aloft.LogQuery) iter.Seq2[aloft.LogLine, error] {
	store, err := j.current()
	if err != nil {
		return func(yield func(aloft.LogLine, error) bool) { yield(aloft.LogLine{}, err) }
	}
	return store.Logs(ctx, query)
}

// Delete removes a stage's log.
func (j *journal) Delete(ref aloft.StageRef) error {
	store, err := j.current()
	if err != nil {
		return err
	}
	return store.Delete(ref)
}
