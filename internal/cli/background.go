package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/aloft-run/aloft"
)

// backgroundEnv is the variable that tells a server that it was started in the background.
const backgroundEnv = "ALOFT_BACKGROUND"

// background is a server started in the background.
type background struct {
	home  string
	env   map[string]string
	pid   int
	ended chan struct{}
	busy  bool  // it ended because another server holds the home
	from  int64 // where in the log it began
}

// launch starts this program again as a server of its own session, which outlives us.
func launch(home string, env map[string]string) (*background, error) {
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
	b := &background{home: home, env: env, ended: make(chan struct{})}
	if info, err := log.Stat(); err == nil {
		b.from = info.Size()
	}
	// Its context is its own: the server outlives the command that starts it.
	c := exec.CommandContext(context.Background(), self, "serve", "--home", home)
	c.Dir, c.Stdout, c.Stderr = "/", log, log
	for k, v := range env {
		c.Env = append(c.Env, k+"="+v)
	}
	c.Env = append(c.Env, backgroundEnv+"=1")
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

// look returns an error if the server has ended and nobody else is one. A server that found another there is started again
// once that has gone: it may have been ending.
func (b *background) look() error {
	select {
	case <-b.ended:
	default:
		return nil
	}
	switch held := lockHeld(b.home); {
	case held:
		b.busy = true
		return nil
	case !b.busy:
		return errors.New("it ended")
	}
	again, err := launch(b.home, b.env)
	if err == nil {
		*b = *again
	}
	return err
}

// said returns the last lines that the server wrote to its log.
func (b *background) said() string { return tailFrom(serverLog(b.home), b.from) }

// tailOf returns what returns the last lines that a file has got since.
func tailOf(path string) func() string {
	from := int64(0)
	if info, err := os.Stat(path); err == nil {
		from = info.Size()
	}
	return func() string { return tailFrom(path, from) }
}

// tailFrom returns the last lines of a file behind an offset.
func tailFrom(path string, from int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	const most = 4096
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
