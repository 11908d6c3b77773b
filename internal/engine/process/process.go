// Package process is the engine that runs sandboxes as plain processes, each in a session of its own. It promises that
// all of a sandbox's processes end with it and that their output is drained; it keeps nothing apart: files, network and
// the list of processes are shared with everything else of the same user.
package process

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"syscall"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/program"
)

var _ engine.Engine = (*Engine)(nil)

// marker is the environment variable by which descendants are known after they left their session.
const marker = "ALOFT_SANDBOX"

// Engine starts processes.
type Engine struct {
	runDir string
}

// New returns an Engine that keeps a record of each running sandbox in the directory runDir, for Reap; none if runDir is "".
func New(runDir string) *Engine { return &Engine{runDir: runDir} }

// Name returns "process".
func (*Engine) Name() string { return "process" }

// Isolation says that there is none.
func (*Engine) Isolation() string {
	return "process: separate processes, environments and directories; files, network and memory are not kept apart"
}

// Level returns the lowest.
func (*Engine) Level() engine.Level { return engine.Separate }

// Layout implements engine.Engine: everything is where it is.
func (*Engine) Layout(tree, private string) engine.Layout {
	return engine.Layout{Tree: tree, Home: filepath.Join(private, "home"), Temp: filepath.Join(private, "tmp")}
}

// Start implements engine.Engine.
func (e *Engine) Start(ctx context.Context, spec engine.Spec) (engine.Sandbox, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.ID, err)
	}
	path, err := program.Find(spec, nil)
	if err != nil {
		return nil, err
	}
	if err := engine.Listen(ctx, spec.Services); err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.ID, err)
	}
	record, err := newRecord(e.runDir, rand.Text())
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.ID, err)
	}
	s := &sandbox{record: record, seen: map[uint32]bool{}, done: make(chan struct{})}
	if err := s.start(path, spec); err != nil {
		record.remove()
		return nil, program.Explain(err, path, spec, nil)
	}
	err = record.write(s.pid, s.born) // before wait, which removes it
	go s.wait()
	if err != nil {
		_ = s.Signal(syscall.SIGKILL)
		<-s.done
		return nil, fmt.Errorf("start %s: %w", spec.ID, err)
	}
	return s, nil
}
