package cli

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
	"github.com/aloft-run/aloft/internal/sqlite"
)

// listen opens the API's socket. Calls that wait in it are answered once serve runs.
func (s *server) listen(ctx context.Context) (err error) {
	calls, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	s.stopCalls = func() {
		stop(aloft.Errorf(aloft.Unavailable, "the aloft server was stopped meanwhile").WithHint("type the same command again"))
	}
	s.calls = newCalls(api.New(api.Services{
		Deployer: s.deployer, Promoter: s.deployer, Operator: s.deployer, Releases: s.store, Runner: s.platform, Invoker: s.invoker(), Async: s.async, Logs: &s.journal,
		Aliases: s.deployer, Recorder: s.records, TestEvents: s.records, Resources: located{s}, EventSources: s.eventSources,
		Check: s.check, Shutdown: s.shutdown, Server: s.info(), Upgrade: s.handOver, AWS: s.awsCredentials,
	}), s.home)
	s.api = &http.Server{
		Handler:           s.calls,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return calls },
	}
	return s.listenAPI()
}

func (s *server) info() api.ServerInfo {
	program, _ := os.Executable() // without it the server cannot be upgraded
	return api.ServerInfo{
		Version: thisVersion().Version, PID: os.Getpid(), Home: s.home, HTTP: s.gateway.HTTPAddr(), HTTPS: s.gateway.HTTPSAddr(),
		Isolation: s.engine.Isolation(), StartedAt: time.Now(), Schema: sqlite.Schema(), Program: program,
	}
}

// serve answers API calls until ctx ends, or the socket fails.
func (s *server) serve(ctx context.Context) error {
	failed := make(chan error, 1)
	var wg sync.WaitGroup
	wg.Go(func() { failed <- s.api.Serve(s.listener) })
	s.onClose(func(ctx context.Context) error {
		if s.replacedBy() == nil { // else the next server answers them
			s.stopCalls()
		}
		err := s.api.Shutdown(ctx)
		s.stopCalls()
		_ = s.api.Close()
		wg.Wait()
		return err
	})
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// eventSources says what sources the functions of a stage have, and how they are.
func (s *server) eventSources(ctx context.Context, ref aloft.StageRef) ([]aloft.EventSource, error) {
	stage, err := s.store.Stage(ctx, ref)
	if err != nil || stage.Current == 0 {
		return []aloft.EventSource{}, err
	}
	release, err := s.store.Release(ctx, ref, stage.Current)
	if err != nil {
		return nil, err
	}
	return s.events.List(release), nil
}
