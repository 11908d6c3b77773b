package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
	"github.com/aloft-run/aloft/internal/events"
	"github.com/aloft-run/aloft/internal/handover"
	"github.com/aloft-run/aloft/internal/logs"
	"github.com/aloft-run/aloft/internal/reclaim"
)

const (
	lastAnswer = 10 * time.Second // for connections to have their last answer
	soonAnswer = 2 * time.Second  // the same, and for HTTP/3 as a whole, while somebody waits for it
	eventsTime = 10 * time.Second // for event sources to end what they have begun
	goTime     = 10 * time.Second // for a server that is ready to begin
)

// handOver starts the server's program again and lets the new server take this one's place. When it returns without an
// error the new one serves, and this one ends by itself once its requests have. If the new one is not ready within the
// limit it is ended, and this one goes on as if nothing had been.
func (s *server) handOver(ctx context.Context, limit time.Duration) (api.Upgraded, error) {
	if !s.handing.TryLock() {
		return api.Upgraded{}, aloft.Errorf(aloft.Conflict, "this server is being replaced already").WithHint("wait for that")
	}
	defer s.handing.Unlock()
	if s.next != nil || s.ctx.Err() != nil {
		return api.Upgraded{}, aloft.Errorf(aloft.Unavailable, "this server is ending").WithHint("type the same command again")
	}
	defer noteHandover(s.home)()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	if err := s.awaitBefore(ctx); err != nil {
		return api.Upgraded{}, err
	}
	s.listener.Pause()
	if err := s.calls.hold(ctx); err != nil {
		s.listener.Resume()
		return api.Upgraded{}, err
	}
	n, version, err := s.tryNext(ctx, limit)
	if err != nil {
		s.listener.Resume()
		s.calls.release(false)
		return api.Upgraded{}, err
	}
	s.next = n
	s.listener.Leave()
	s.calls.release(true)
	s.retiring.Go(func() { s.retire(n) })
	done := api.Upgraded{PID: n.cmd.Process.Pid, Version: version}
	done.Before = api.ServerPID{PID: os.Getpid(), Version: thisVersion().Version}
	return done, nil
}

// tryNext starts the next server and lets it begin, or ends it and takes everything back.
func (s *server) tryNext(ctx context.Context, limit time.Duration) (n *next, version string, err error) {
	marks := s.pauseEvents(ctx)
	defer func() {
		if err != nil {
			s.aws.lambda.DropURLs()
			s.events.Resume(marks)
		}
	}()
	if err := s.aws.lambda.HoldURLs(ctx); err != nil {
		s.logger.Warn("function URLs do not answer while another server starts", "error", err)
	}
	if err := s.store.Suspend(ctx); err != nil {
		return nil, "", aloft.Errorf(aloft.Conflict, "%w", err).WithHint("try again; nothing was changed")
	}
	n, err = s.startNext(limit, marks)
	if err == nil {
		patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit+overdue)
		defer cancel()
		defer context.AfterFunc(ctx, func() { // it says why; a client that went away does not ask
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				cancel()
			}
		})()
		var ready handover.Message
		ready, err = n.expect(patient, handover.Ready)
		version = ready.Version
	}
	if err == nil {
		err = s.letBegin(n)
	}
	if err == nil {
		return n, version, nil
	}
	detail := ""
	if n != nil {
		n.kill()
		detail = n.said()
	}
	s.names.other().sweep(s.logger)
	if back := s.store.Resume(context.WithoutCancel(ctx)); back != nil {
		s.logger.Error("the database cannot be opened again", "error", back)
		err = errors.Join(err, back)
	}
	return nil, "", aloft.Errorf(aloft.Failed, "the new server did not become ready, the old one goes on serving: %w", err).WithDetail(detail)
}

// pauseEvents ends the event sources, for the next server to go on with.
func (s *server) pauseEvents(ctx context.Context) events.Marks {
	ctx, cancel := context.WithTimeout(ctx, eventsTime)
	defer cancel()
	return s.events.Pause(ctx)
}

// letBegin passes the logs on and lets the next server take connections. From then on it writes what this one wrote.
func (s *server) letBegin(n *next) error {
	s.async.Halt()
	if err := s.journal.pass(n.log); err != nil {
		s.logger.Warn("write the logs before another server does", "error", err)
	}
	begin, cancel := context.WithTimeout(context.Background(), goTime)
	defer cancel()
	err := n.conn.Send(handover.Message{Kind: handover.Go})
	if err == nil {
		_, err = n.expect(begin, handover.Serving)
	}
	if err == nil {
		return nil
	}
	n.kill() // or it might write yet
	if back := errors.Join(s.async.Begin(context.Background(), s.queues), s.async.Release(context.Background())); back != nil {
		return errors.Join(err, back)
	}
	store, openErr := logs.Open(s.path("logs"), logs.Options{})
	if openErr != nil {
		return errors.Join(err, openErr)
	}
	s.journal.own(store)
	return errors.Join(err, writeLock(s.lock))
}

// log sends a line to the next server. When that is gone nobody is there to take it.
func (n *next) log(ref aloft.StageRef, line aloft.LogLine) {
	_ = n.conn.Send(handover.Message{Kind: handover.Log, Stage: &ref, Line: &line})
}

// retire finishes what this server has begun, now that the next one serves, and ends it.
func (s *server) retire(n *next) {
	notify(s.env, fmt.Sprintf("MAINPID=%d", n.cmd.Process.Pid))
	s.passSignals(n)
	s.platform.EndWorkers()
	var wg sync.WaitGroup
	wg.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), soonAnswer)
		defer cancel()
		s.gateway.StopPackets(ctx)
		_ = n.conn.Send(handover.Message{Kind: handover.Packets})
	})
	if len(n.alone) > 0 {
		s.retireWithin(soonAnswer)
		s.gateway.CloseIdle()
		for _, ref := range n.alone {
			wg.Go(func() {
				if err := s.platform.Vacate(context.Background(), ref); err != nil {
					s.logger.Warn("end the instances of a stage", "stage", ref.String(), "error", err)
				}
				_ = n.conn.Send(handover.Message{Kind: handover.Freed, Stage: &ref})
			})
		}
	}
	s.retireWithin(lastAnswer)
	wg.Wait()
	s.shutdown()
}

func (s *server) retireWithin(limit time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	context.AfterFunc(s.ctx, cancel) // somebody wants the end sooner
	s.gateway.Retire(ctx)
}

// parents reports whether this process must stay when its server is done: somebody watches it, and cannot be told of another.
func (s *server) parents() bool { return !s.background && s.env[notifyEnv] == "" }

// passSignals passes on what the one who watches this process tells it, if the next server is watched through it.
func (s *server) passSignals(n *next) {
	if !s.parents() {
		return
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		for sig := range signals { // as long as this process lives
			_ = n.cmd.Process.Signal(sig)
		}
	}()
}

// replacedBy is the server that has taken this one's place, nil if none has.
func (s *server) replacedBy() *next {
	s.handing.Lock()
	defer s.handing.Unlock()
	return s.next
}

// bye is the last thing that a server does that was replaced. It returns how the process is to end: at once, or as the next
// server does.
func (s *server) bye() error {
	n := s.replacedBy()
	if n == nil {
		return nil
	}
	s.retiring.Wait()
	_ = n.conn.Send(handover.Message{Kind: handover.Bye}) // it may be gone
	if !s.parents() {
		return n.conn.Close()
	}
	reclaim.Memory() // all that is left to do is to wait
	<-n.ended
	if status := n.cmd.ProcessState.ExitCode(); status >= 0 {
		return &exitError{status: status}
	}
	return fmt.Errorf("the server ended: %s", n.cmd.ProcessState)
}
