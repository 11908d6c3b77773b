package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
	"github.com/aloft-run/aloft/internal/gateway"
	"github.com/aloft-run/aloft/internal/handover"
	"github.com/aloft-run/aloft/internal/local"
)

// handoverEnv is the variable that names the descriptor of the socket to the server before this one.
const handoverEnv = "ALOFT_HANDOVER"

// before is the server whose place this one takes.
type before struct {
	handover.Greeting

	conn     *handover.Conn
	lock     *os.File
	api      *net.UnixListener
	gateway  gateway.Listeners
	messages chan handover.Message // closed at its end
	over     chan struct{}         // closed when this server serves in its place
	holds    map[aloft.StageRef]chan struct{}
	gone     chan struct{} // closed when its names are free
}

// inherit meets the server before this one, nil if there is none.
func (p *program) inherit() (*before, error) {
	text, found := p.env[handoverEnv]
	delete(p.env, handoverEnv) // it is for nobody else
	if !found {
		return nil, nil //nolint:nilnil // no server before this one is no error
	}
	fd, err := strconv.Atoi(text)
	if err != nil {
		return nil, aloft.Errorf(aloft.Invalid, "%s=%q is no descriptor", handoverEnv, text).
			WithHint("the variable is for servers that take the place of others; unset it")
	}
	conn, err := handover.Open(fd)
	if err != nil {
		return nil, err
	}
	b := &before{
		conn: conn, messages: make(chan handover.Message), over: make(chan struct{}), gone: make(chan struct{}),
		holds: map[aloft.StageRef]chan struct{}{},
	}
	if err := b.meet(); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	go b.listen()
	return b, nil
}

// meet takes what the server before passes on.
func (b *before) meet() error {
	m, files, err := b.conn.Receive()
	if err != nil || m.Hello == nil || len(files) != len(m.Hello.Files) {
		return fmt.Errorf("meet the server before this one: %w", errors.Join(err, errors.New("it sent "+m.Kind)))
	}
	b.Greeting = *m.Hello
	if b.Protocol != handover.Protocol {
		return aloft.Errorf(aloft.Conflict, "aloft %s hands over in a way that this version does not know", b.Version).
			WithHint("stop the server and start it again: aloft stop --server")
	}
	for i, name := range b.Files {
		var err error
		switch name {
		case "lock":
			b.lock = files[i]
		case "api":
			b.api, err = handover.Unix(files[i])
		case "http":
			b.gateway.HTTP, err = handover.TCP(files[i])
		case "https":
			b.gateway.HTTPS, err = handover.TCP(files[i])
		default:
			err = files[i].Close()
		}
		if err != nil {
			return fmt.Errorf("take over %s: %w", name, err)
		}
	}
	if b.lock == nil || b.api == nil {
		return errors.New("the server before this one passed no lock and no socket on")
	}
	for _, ref := range b.Alone {
		b.holds[ref] = make(chan struct{})
	}
	return nil
}

func (b *before) listen() {
	defer close(b.messages)
	for {
		m, _, err := b.conn.Receive()
		if err != nil {
			return
		}
		b.messages <- m
	}
}

// platform is what the platform knows of it.
func (b *before) platform() *local.Before {
	if b == nil {
		return nil
	}
	holds := map[aloft.StageRef]<-chan struct{}{}
	for ref, c := range b.holds {
		holds[ref] = c
	}
	return &local.Before{Over: b.over, Holds: holds}
}

// fail tells it why this server cannot take its place.
func (b *before) fail(err error) {
	if b != nil {
		_ = b.conn.Send(handover.Message{Kind: handover.Failed, Error: err.Error()})
	}
}

var errBeforeGone = errors.New("the server before this one ended, or gave up")

// takeOver waits until everything runs here too, and begins to serve in the place of the server before.
func (s *server) takeOver(ctx context.Context) error {
	if err := s.become(ctx); err != nil {
		s.before.fail(err) // before this server's end, which may take a while
		return err
	}
	close(s.before.over)
	s.events.Resume(s.before.Sources)
	s.countSizes()
	go s.follow()
	return nil
}

func (s *server) become(ctx context.Context) error {
	b := s.before
	ctx, cancel := context.WithTimeout(ctx, b.Limit)
	defer cancel()
	ready := make(chan error, 1)
	go func() { ready <- s.platform.AwaitServing(ctx, b.Serving) }()
	select {
	case err := <-ready:
		if err != nil {
			return err
		}
	case <-b.messages: // its end; it says nothing before it is told that we are ready
		return errBeforeGone
	}
	if err := b.conn.Send(handover.Message{Kind: handover.Ready, Version: thisVersion().Version}); err != nil {
		return err
	}
	if m := <-b.messages; m.Kind != handover.Go {
		return errBeforeGone
	}
	if err := writeLock(b.lock); err != nil {
		return err
	}
	_ = os.Remove(handoverPath(s.home)) // the server before does so too, if it lives
	if err := errors.Join(s.openLogs(), s.openQueues(ctx)); err != nil {
		return err
	}
	if err := errors.Join(s.gateway.Take(), s.beginEvents(context.WithoutCancel(ctx))); err != nil {
		return err
	}
	if err := b.conn.Send(handover.Message{Kind: handover.Serving}); err != nil {
		s.logger.Warn("the server before this one has ended", "error", err)
	}
	return nil
}

// countSizes counts what resources and queues hold, which a server of an older version has not, while this one serves. Before, it
// might not have stayed.
func (s *server) countSizes() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.ctx))
	var work sync.WaitGroup
	work.Go(func() {
		if err := errors.Join(s.resources.CountSizes(ctx), s.queues.CountSizes(ctx)); err != nil && ctx.Err() == nil {
			s.logger.Error("what resources hold is not limited before the next start", "error", err)
		}
	})
	s.onClose(func(context.Context) error {
		cancel()
		work.Wait()
		return nil
	})
}

// follow does what the server before says until its end.
func (s *server) follow() {
	b := s.before
	packets := s.gateway.HTTPSAddr() == ""
	done := false
	end := func() {
		for ref, c := range b.holds {
			close(c)
			delete(b.holds, ref)
		}
		if !packets {
			packets = true
			s.takePackets()
		}
		if !done {
			done = true
			s.names.other().sweep(s.logger)
			s.inheritEvents()
			close(b.gone)
		}
	}
	for m := range b.messages {
		switch m.Kind {
		case handover.Log:
			s.journal.Append(*m.Stage, *m.Line)
		case handover.Freed:
			if c := b.holds[*m.Stage]; c != nil {
				close(c)
				delete(b.holds, *m.Stage)
			}
		case handover.Packets:
			if !packets {
				packets = true
				s.takePackets()
			}
		case handover.Bye:
			end()
		}
	}
	end()
	_ = b.conn.Close()
	if b.Parent { // whoever watches it has ended it
		s.logger.Info("the process that stood for this server has ended")
		s.shutdown()
		if n := s.replacedBy(); n != nil { // this one stands for another itself
			_ = n.cmd.Process.Signal(syscall.SIGTERM)
		}
	}
}

func (s *server) takePackets() {
	if err := s.gateway.TakePackets(); err != nil {
		s.logger.Error("HTTP/3 is not served", "error", err)
	}
}

// awaitBefore returns when the server before this one is gone, whose names the next one gets.
func (s *server) awaitBefore(ctx context.Context) error {
	if s.before == nil {
		return nil
	}
	select {
	case <-s.before.gone:
		return nil
	case <-ctx.Done():
		return aloft.Errorf(aloft.Conflict, "the server before this one still finishes its requests: %w", ctx.Err()).
			WithHint("try again in a minute; nothing was changed")
	}
}

// listenAPI opens the API's socket, or takes that of the server before.
func (s *server) listenAPI() (err error) {
	if s.before != nil {
		s.listener = api.Adopt(s.home, s.before.api)
		return nil
	}
	s.listener, err = api.Listen(s.home)
	return err
}
