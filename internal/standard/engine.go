package standard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/process"
)

// EngineOptions are what an engine works with.
type EngineOptions struct {
	RunDir  string       // where engines keep records of what they started, so that the next server can end what a killed one left
	Server  string       // names the server among those of the machine
	Visible []string     // directories that every sandbox may read besides the system's
	Second  bool         // another server may run for the same apps at the same time, under another name
	AtMost  engine.Level // the strongest level that is tried; 0 tries all
	Logger  *slog.Logger
}

// Refusal says why this machine does not give a level of isolation.
type Refusal struct {
	Level engine.Level
	Err   error
}

// attempt is one way to run sandboxes.
type attempt struct {
	level engine.Level
	open  func(ctx context.Context, o EngineOptions) (engine.Engine, error)
}

// Engine returns the strongest engine of at most the level that was asked for, which this machine lets run a command, and
// why there is no stronger one. An engine that is an io.Closer must be closed at the end.
func Engine(ctx context.Context, o EngineOptions) (engine.Engine, []Refusal, error) {
	var refused []Refusal
	for _, try := range attempts() {
		if o.AtMost != 0 && try.level > o.AtMost {
			continue
		}
		e, err := try.open(ctx, o)
		if err == nil {
			return e, refused, nil
		}
		if ctx.Err() != nil {
			return nil, nil, fmt.Errorf("open the engine: %w", err)
		}
		refused = append(refused, Refusal{try.level, err})
	}
	return process.New(o.RunDir), refused, nil
}

// Sweep ends what a server left that is no more, and frees what it held of the machine. Of the options it needs RunDir and
// Server, which are that server's.
func Sweep(o EngineOptions) {
	killed, err := process.Reap(o.RunDir)
	if err = errors.Join(err, sweep(o.Server)); err != nil {
		o.Logger.Warn("remove what an earlier server left", "server", o.Server, "error", err)
	}
	if killed > 0 {
		o.Logger.Info("ended what a killed server left", "processes", killed)
	}
}
