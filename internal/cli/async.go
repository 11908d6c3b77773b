package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/async"
	"github.com/aloft-run/aloft/internal/local"
	"github.com/aloft-run/aloft/internal/resource"
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
		Invoker: s.platform, Function: s.function, Reserved: s.reserved, Logger: s.logger, Send: s.send, Log: s.journal.Append, Room: s.roomForEvents(),
		Stage: func(ctx context.Context, ref aloft.StageRef) error {
			_, err := s.store.Stage(ctx, ref)
			return err
		},
		Settings: func(ctx context.Context, ref aloft.StageRef, f aloft.Function, qualifier string) (set async.Settings, err error) {
			set.Async, set.DeadLetter, err = s.aws.lambda.AsyncSettings(ctx, ref, f, qualifier)
			return set, err
		},
		Locate: func(ctx context.Context, arn string) (aloft.StageRef, string, string, error) {
			return s.aws.lambda.Locate(ctx, arn)
		},
	})
	s.onClose(s.async.Close)
}

// roomForEvents bounds the bytes of the events that wait for the functions of a stage.
func (s *server) roomForEvents() func(ctx context.Context, ref aloft.StageRef, n int64) (func(), error) {
	disk := s.resources.Disk
	if !resource.SameDisk(s.home, s.path("resources")) {
		disk = resource.NewDisk(resource.FreeOn(s.home))
	}
	quota := resource.NewQuota(resource.QuotaOptions{
		Most: s.roomPerStage, Disk: disk,
		Size: func(ctx context.Context, owner string) (int64, error) { return s.async.Waiting(ctx, owner) },
	})
	return func(ctx context.Context, ref aloft.StageRef, n int64) (func(), error) {
		leave, err := quota.Reserve(ctx, ref.String(), n)
		if _, ok := errors.AsType[*resource.Full](err); ok {
			err = aloft.Errorf(aloft.Unavailable, "there is no room for more events that wait: %v", err)
		}
		return leave, err
	}
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
	release, err := s.current(ctx, ref)
	if err != nil {
		return aloft.Function{}, err
	}
	for _, f := range release.Tuned() {
		if f.Name == name && (f.Kind == aloft.Handler || f.Kind == aloft.Web) {
			return f, nil
		}
	}
	return aloft.Function{}, aloft.Errorf(aloft.NotFound, "%s has no function %q that takes events", ref, name).WithHint("aloft functions %s lists them", ref.Stage)
}

// reserved is how many events of a function may be worked on at once.
func (s *server) reserved(ctx context.Context, ref aloft.StageRef, function string) (most int, bound bool) {
	return s.aws.lambda.Reserved(ctx, ref, function)
}

// current is the release of a stage that serves.
func (s *server) current(ctx context.Context, ref aloft.StageRef) (aloft.Release, error) {
	stage, err := s.store.Stage(ctx, ref)
	if err != nil {
		return aloft.Release{}, err
	}
	if stage.Current == 0 {
		return aloft.Release{}, aloft.Errorf(aloft.NotFound, "nothing of %s is deployed", ref).WithHint("deploy it first: aloft up %s", ref.Stage)
	}
	return s.store.Release(ctx, ref, stage.Current)
}

// send delivers the record of an event to a queue or topic of its stage, or to one with an ARN.
func (s *server) send(ctx context.Context, ref aloft.StageRef, destination string, record []byte) error {
	if service, ok := strings.CutPrefix(destination, "arn:aws:"); ok {
		kind := aloft.Queue
		if strings.HasPrefix(service, "sns:") {
			kind = aloft.Topic
		}
		return s.resources.Send(ctx, kind, destination[strings.LastIndexByte(destination, ':')+1:], record)
	}
	kind, name, _ := aloft.CutDestination(destination)
	release, err := s.current(ctx, ref)
	if err != nil {
		return err
	}
	for _, r := range release.Resources {
		if r.Type == kind && r.Name == name {
			return s.resources.Send(ctx, kind, ref.ResourceName(r), record)
		}
	}
	return aloft.Errorf(aloft.NotFound, "the release has no %s %q", kind, name).WithHint("declare it in the resources section of aloft.yml")
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
