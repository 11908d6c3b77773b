package messages

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// maxBatch bounds what one transaction does: a request waits for the whole of it.
const maxBatch = 512

// request is what a caller wants written, all of it or nothing.
type request struct {
	what  string
	apply func(w *writer) error // may be called again after it failed, or another one did
	done  chan error            // of one element
}

// write has apply run in a transaction and returns once that is on the disk. Once apply was begun it is waited for, whatever
// becomes of ctx: a claim that nobody hears of would hide its messages.
func (s *Store) write(ctx context.Context, what string, apply func(w *writer) error) error {
	r := &request{what: what, apply: apply, done: make(chan error, 1)}
	select {
	case s.requests <- r:
		return <-r.done
	case <-s.closing:
		return errClosed
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", what, context.Cause(ctx))
	}
}

// writer is the goroutine that writes.
type writer struct {
	store      *Store
	conn       *sql.Conn
	statements map[string]*sql.Stmt
	now        int64            // of the transaction, milliseconds
	nudges     map[string]int64 // queues in which a message can be claimed from a time on
}

// run writes what is asked for until the store closes.
func (w *writer) run() {
	defer func() {
		for _, s := range w.statements {
			_ = s.Close()
		}
		_ = w.conn.Close()
	}()
	for {
		select {
		case r := <-w.store.requests:
			w.together(w.gather(r))
		case <-w.store.closing:
			return
		}
	}
}

// gather returns first and what else waits.
func (w *writer) gather(first *request) []*request {
	batch := []*request{first}
	for range 2 { // who just got an answer may ask again at once
		for len(batch) < maxBatch {
			select {
			case r := <-w.store.requests:
				batch = append(batch, r)
				continue
			default:
			}
			break
		}
		runtime.Gosched()
	}
	return batch
}

// together writes requests in one transaction. If one of them fails, each gets its own.
func (w *writer) together(batch []*request) {
	err := w.transact(batch)
	if err != nil && len(batch) > 1 {
		for _, r := range batch {
			w.together([]*request{r})
		}
		return
	}
	for _, r := range batch {
		r.done <- w.store.db.Fail(context.Background(), r.what, err)
	}
	if err == nil {
		w.store.bells.ring(w.nudges)
	}
}

func (w *writer) transact(batch []*request) error {
	w.now, w.nudges = time.Now().UnixMilli(), map[string]int64{}
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, r := range batch {
		if err := r.apply(w); err != nil {
			return errors.Join(err, w.exec("ROLLBACK"))
		}
	}
	if err := w.exec("COMMIT"); err != nil {
		_ = w.exec("ROLLBACK") // SQLite may have done so itself
		return err
	}
	return nil
}

// nudge notes that a message of a queue can be claimed from a time on.
func (w *writer) nudge(queue string, due int64) {
	if at, found := w.nudges[queue]; !found || due < at {
		w.nudges[queue] = due
	}
}

func (w *writer) prepare(query string) (*sql.Stmt, error) {
	if s := w.statements[query]; s != nil {
		return s, nil
	}
	s, err := w.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	if w.statements == nil {
		w.statements = map[string]*sql.Stmt{}
	}
	w.statements[query] = s
	return s, nil
}

func (w *writer) exec(query string, args ...any) error {
	_, err := w.count(query, args...)
	return err
}

// count runs a statement and returns how many rows it changed.
func (w *writer) count(query string, args ...any) (int, error) {
	s, err := w.prepare(query) //nolint:sqlclosecheck // run closes it
	if err != nil {
		return 0, err
	}
	result, err := s.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// row reads the one row of a query; found is false if there is none.
func (w *writer) row(dest []any, query string, args ...any) (found bool, err error) {
	s, err := w.prepare(query) //nolint:sqlclosecheck // run closes it
	if err != nil {
		return false, err
	}
	err = s.QueryRowContext(context.Background(), args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
