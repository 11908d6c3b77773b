package cli

import (
	"context"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/client"
)

// backend is what commands work with: the server of this machine for the stages that run here.
type backend interface {
	releaser
	aloft.Operator
	aloft.Invoker
	aloft.LogService
	aloft.ResourceLister
	records
}

// releaser makes releases.
type releaser interface {
	aloft.Deployer
	aloft.Promoter
}

// records are what a backend knows of stages.
type records interface {
	// Releases lists a stage's releases, newest first, at most limit (0: all).
	Releases(ctx context.Context, ref aloft.StageRef, limit int) ([]aloft.Release, error)
	Release(ctx context.Context, ref aloft.StageRef, version int) (aloft.Release, error)
	EventSources(ctx context.Context, ref aloft.StageRef) ([]aloft.EventSource, error)
	// Pending counts by function the events that wait or are worked on.
	Pending(ctx context.Context, ref aloft.StageRef) (map[string]int, error)
	savedEvents

	// Close gives up what it holds. It cannot be used any more.
	Close()
}

// savedEvents are events that were saved under names.
type savedEvents interface {
	// TestEvents returns NotFound if there is no such stage.
	TestEvents(ctx context.Context, ref aloft.StageRef) ([]aloft.TestEvent, error)
}

var _ backend = (*client.Client)(nil)

// connect returns what has the stage, or Invalid if another one was meant.
func (p *program) connect(ctx context.Context, ref aloft.StageRef) (backend, error) {
	if err := p.meant(ctx, ref); err != nil {
		return nil, err
	}
	at, err := p.site(ref)
	if err != nil {
		return nil, err
	}
	return p.at(ctx, at, true)
}

// open returns the stage that the flags name, and what has it. That must be closed.
func (p *program) open(ctx context.Context) (aloft.StageRef, backend, error) {
	ref, err := p.stage("")
	if err != nil {
		return ref, nil, err
	}
	c, err := p.connect(ctx, ref)
	return ref, c, err
}

// openServer returns the stage that the flags name and a client of the server that has it, which must be closed. It returns
// Invalid for a stage on AWS, where what the command does is not to be had; instead is what to do there.
func (p *program) openServer(ctx context.Context, instead string) (aloft.StageRef, *client.Client, error) {
	ref, err := p.stage("")
	if err != nil {
		return ref, nil, err
	}
	at, err := p.site(ref)
	if err != nil {
		return ref, nil, err
	}
	if at.aws {
		return ref, nil, aloft.Errorf(aloft.Invalid, "%s is on AWS, where this command has nothing to work with", ref).WithHint("%s", instead)
	}
	c, err := p.server(ctx)
	return ref, c, err
}

// What to do on AWS in place of what only a server has.
const (
	noRecorder    = "what a function gets and prints is in aloft logs; aloft invoke --event makes sample events"
	noSavedEvents = "keep the event in a file: aloft invoke FUNCTION --payload @FILE"
)
