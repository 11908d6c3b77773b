package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
	"github.com/aloft-run/aloft/internal/client"
)

// startPatience bounds the wait for a server to answer after its start: it may have many apps to start again.
const startPatience = 60 * time.Second

func socketPath(home string) string { return filepath.Join(home, api.SocketName) }

func serverLog(home string) string { return filepath.Join(home, "server.log") }

// connect returns a client of the server in the home directory. If none answers it starts one in the background.
func (p *program) connect(ctx context.Context) (*client.Client, error) {
	home, err := p.home()
	if err != nil {
		return nil, err
	}
	c := client.New(socketPath(home))
	if _, err := c.Health(ctx); err == nil {
		return c, nil
	} else if aloft.ErrorCode(err) != aloft.Unavailable {
		c.Close()
		return nil, err
	}
	if err := p.startServer(ctx, c, home); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// startServer starts a server and waits until one answers: this one, or another that was faster.
func (p *program) startServer(ctx context.Context, c *client.Client, home string) error {
	if err := makeHome(home); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	server, err := p.launch(home)
	if err != nil {
		return err
	}
	err = poll(ctx, func() (bool, error) {
		health, err := c.Health(ctx)
		if err == nil {
			if health.PID == server.pid && !p.flags.quiet {
				fmt.Fprintf(p.err, "started the aloft server (pid %d, log %s; stop it with `aloft stop --server`)\n", health.PID, serverLog(home))
			}
			return true, nil
		}
		select {
		case <-server.ended:
			if !lockHeld(home) {
				return false, errors.New("it ended")
			}
		default:
		}
		return false, nil
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err() // the server goes on starting; it does no harm
	case ctx.Err() != nil:
		err = fmt.Errorf("no answer within %s", startPatience)
	}
	return aloft.Errorf(aloft.Unavailable, "the aloft server did not start: %w", err).
		WithDetail(server.said()).WithHint("the whole log is in %s; aloft serve runs it in the foreground", serverLog(home))
}

func makeHome(home string) error {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return aloft.Errorf(aloft.Internal, "the home directory cannot be made: %w", err).
			WithHint("set ALOFT_HOME or --home to a directory that you may write")
	}
	return nil
}

// background is a server started in the background.
type background struct {
	pid   int
	ended chan struct{}
	log   string
	from  int64 // where in the log it began
}

// launch starts this program again as a server of its own session, which outlives us.
func (p *program) launch(home string) (*background, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the aloft program: %w", err)
	}
	log, err := os.OpenFile(serverLog(home), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, aloft.Errorf(aloft.Internal, "open the server's log: %w", err).
			WithHint("set ALOFT_HOME or --home to a directory that you may write")
	}
	defer func() { _ = log.Close() }()
	b := &background{ended: make(chan struct{}), log: log.Name()}
	if info, err := log.Stat(); err == nil {
		b.from = info.Size()
	}
	// Its context is its own: the server outlives the command that starts it.
	c := exec.CommandContext(context.Background(), self, "serve", "--home", home)
	c.Dir, c.Stdout, c.Stderr = "/", log, log
	for k, v := range p.env {
		c.Env = append(c.Env, k+"="+v)
	}
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	b.pid = c.Process.Pid
	go func() {
		_ = c.Wait() // why it ended is in its log
		close(b.ended)
	}()
	return b, nil
}

// said returns the last lines that the server wrote to its log.
func (b *background) said() string {
	f, err := os.Open(b.log)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	const most = 4096
	from := b.from
	if info, err := f.Stat(); err == nil {
		from = max(from, info.Size()-most)
	}
	data, err := io.ReadAll(io.NewSectionReader(f, from, most))
	if err != nil {
		return ""
	}
	lines := strings.Split(string(bytes.TrimSpace(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}
