package cli

import (
	"context"
	"errors"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/async"
	"github.com/aloft-run/aloft/internal/local"
	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

// queueFile is where events and messages wait, below the home directory.
const queueFile = "state/messages.db"

// openQueues opens what waits. A server that takes the place of another has it open together with that one, once it is told
// to go.
func (s *server) openQueues(ctx context.Context) (err error) {
	open := messages.Open
	if s.before != nil {
		open = messages.Join
	}
	s.queues, err = open(ctx, s.path(queueFile))
	return err
}

func (s *server) closeQueues(context.Context) error {
	if s.queues == nil {
		return nil
	}
	return s.queues.Close()
}

// wireAsync makes what works on events that nobody waits for.
func (s *server) wireAsync() {
	s.async = async.New(async.Options{
		Invoker: s.platform, Function: s.function, Logger: s.logger,
		Stage: func(ctx context.Context, ref aloft.StageRef) error {
			_, err := s.store.Stage(ctx, ref)
			return err
		},
	})
	s.onClose(s.async.Close)
}

// invoker is who works on events of the API.
func (s *server) invoker() aloft.Invoker {
	if s.wrapInvoker != nil {
		return s.wrapInvoker(s.async)
	}
	return s.async
}

// function is a function of a stage as it runs.
func (s *server) function(ctx context.Context, ref aloft.StageRef, name string) (aloft.Function, error) {
	stage, err := s.store.Stage(ctx, ref)
	if err != nil {
		return aloft.Function{}, err
	}
	if stage.Current == 0 {
		return aloft.Function{}, aloft.Errorf(aloft.NotFound, "nothing of %s is deployed", ref).WithHint("deploy it first: aloft up %s", ref.Stage)
	}
	release, err := s.store.Release(ctx, ref, stage.Current)
	if err != nil {
		return aloft.Function{}, err
	}
	for _, f := range release.Tuned() {
		if f.Name == name && (f.Kind == aloft.Handler || f.Kind == aloft.Web) {
			return f, nil
		}
	}
	return aloft.Function{}, aloft.Errorf(aloft.NotFound, "%s has no function %q that takes events", ref, name).WithHint("aloft functions lists them")
}

// beginEvents begins to work on events, those too that a server before this one had under way when it was killed.
func (s *server) beginEvents(ctx context.Context) error {
	if err := s.async.Begin(ctx, s.queues); err != nil {
		return err
	}
	if s.before != nil { // it may be at work yet
		return nil
	}
	return s.async.Release(ctx)
}

// inheritEvents takes over what the server before this one has not finished, which is gone.
func (s *server) inheritEvents() {
	if err := s.async.Release(context.Background()); err != nil {
		s.logger.Error("take over the events of the server before this one", "error", err)
	}
}

// check looks through all that the server keeps.
func (s *server) check(ctx context.Context) error {
	return errors.Join(s.store.Check(ctx), s.queues.Check(ctx))
}

// stages is the platform of a server: what waits for a stage goes with it.
type stages struct {
	*local.Platform

	async *async.Queue
}

// Remove implements aloft.Platform.
func (s stages) Remove(ctx context.Context, ref aloft.StageRef) error {
	return errors.Join(s.Platform.Remove(ctx, ref), s.async.Forget(ctx, ref))
}
