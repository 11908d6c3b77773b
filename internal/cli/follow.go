package cli

import (
	"context"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/client"
)

// overlap is how far back a log is read again when another server goes on with it: lines of two servers are not quite in the
// order of their times.
const overlap = 5 * time.Second

// follower prints a log, whichever server has it.
type follower struct {
	printed map[aloft.LogLine]bool // of the last moments
	newest  time.Time
}

// followLogs prints lines until it is interrupted. A server that takes the place of another goes on with the log, and so does
// this.
func (p *program) followLogs(ctx context.Context, c backend, query aloft.LogQuery, o logOptions) error {
	f := follower{printed: map[aloft.LogLine]bool{}, newest: time.Now().Add(-overlap)}
	_, once := c.(*awsBackend) // it has each line once, and lines that look alike too
	for {
		var ended error
		for line, err := range c.Logs(ctx, query) {
			if ended = err; err != nil {
				break
			}
			if !once && !f.isNew(line) || !o.wants(line) {
				continue
			}
			if err := p.printLog(line, o.raw); err != nil {
				return err
			}
		}
		if interrupted(ctx) {
			return &exitError{status: exitInterrupted} // the way to end it is no error
		}
		if ended != nil && aloft.ErrorCode(ended) != aloft.Unavailable || !p.goesOn(ctx, c, query.Stage) {
			return ended
		}
		query.Since, query.Limit = f.newest.Add(-overlap), 0
	}
}

// isNew reports whether a line was not printed yet, and notes it.
func (f *follower) isNew(line aloft.LogLine) bool {
	line.Time = line.Time.UTC().Round(0) // as a key
	if f.printed[line] {
		return false
	}
	if line.Time.After(f.newest) {
		f.newest = line.Time
	}
	f.printed[line] = true
	forget(f.printed, f.newest.Add(-overlap))
	return true
}

// goesOn reports whether there is a server, another one it may be, with the stage.
func (p *program) goesOn(ctx context.Context, c backend, ref aloft.StageRef) bool {
	server, is := c.(*client.Client)
	home, err := p.home()
	if !is || err != nil || answers(ctx, server, home) != nil {
		return false
	}
	_, err = p.status(ctx, c, ref)
	return err == nil
}

// manyPrinted is how many lines are remembered before old ones are looked for.
const manyPrinted = 1000

// forget drops lines from before a moment, when there are many.
func forget(printed map[aloft.LogLine]bool, before time.Time) {
	if len(printed)%manyPrinted != 0 {
		return
	}
	for line := range printed {
		if line.Time.Before(before) {
			delete(printed, line)
		}
	}
}
