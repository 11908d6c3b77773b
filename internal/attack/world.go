package attack

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
)

const (
	victimWord = "victim"
	program    = "aloft" // the name of this program in the sandbox
	memory     = 256 << 20
	processes  = 128
	temp       = 16 << 20
)

// world is what there is to attack: another tenant, and stand-ins for the server's own things.
type world struct {
	engine  engine.Engine
	dir     string
	tree    string
	target  target
	victim  engine.Sandbox
	closers []func() error
}

func newWorld(ctx context.Context, e engine.Engine, self string) (w *world, err error) {
	w = &world{engine: e}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.dir, err = os.MkdirTemp("", "aloft-attack-"); err != nil {
		return w, err
	}
	w.closers = append(w.closers, func() error { return os.RemoveAll(w.dir) })
	w.tree = filepath.Join(w.dir, "tree")
	binary, err := os.ReadFile(self)
	if err == nil {
		err = os.Mkdir(w.tree, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(w.tree, program), binary, 0o755) //nolint:gosec // a directory of our own
	}
	if err != nil {
		return w, fmt.Errorf("copy the attacker: %w", err)
	}
	if err := w.server(); err != nil {
		return w, err
	}
	return w, w.tenant(ctx)
}

// server makes what stands for the server.
func (w *world) server() error {
	w.target = target{
		Daemon: os.Getpid(), Secret: rand.Text(), Abstract: "@aloft-attack-" + rand.Text(), Tree: w.engine.Layout(w.tree, "").Tree,
		File: filepath.Join(w.dir, "state"), Privileged: os.Geteuid() == 0,
	}
	if err := os.WriteFile(w.target.File, []byte(w.target.Secret), 0o600); err != nil {
		return err
	}
	all, err := net.Listen("tcp", ":0") //nolint:noctx,gosec // every address is what is to be tried
	if err != nil {
		return err
	}
	w.serve(all)
	port := all.Addr().(*net.TCPAddr).Port
	w.target.Control = fmt.Sprintf("127.0.0.1:%d", port)
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return err
	}
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.To4() != nil && !ip.IP.IsLoopback() {
			w.target.HostAddr = fmt.Sprintf("%s:%d", ip.IP, port)
		}
	}
	abstract, err := net.Listen("unix", w.target.Abstract) //nolint:noctx // ends with the world
	if err != nil {
		return err
	}
	w.serve(abstract)
	return nil
}

// serve tells everybody the secret.
func (w *world) serve(l net.Listener) {
	w.closers = append(w.closers, l.Close)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte(w.target.Secret))
			_ = c.Close()
		}
	}()
}

// tenant starts the victim and waits until it says where it is.
func (w *world) tenant(ctx context.Context) error {
	out := &output{}
	var err error
	if w.victim, err = w.start(ctx, victimWord, out); err != nil {
		return err
	}
	w.closers = append(w.closers, func() error {
		err := w.victim.Signal(syscall.SIGKILL)
		<-w.victim.Done()
		return err
	})
	for end := time.Now().Add(probeTime); ; <-time.After(time.Millisecond) {
		if _, err := fmt.Sscanf(out.String(), "victim %d %s\n", &w.target.Port, &w.target.TempFile); err == nil {
			w.target.PID = w.victim.PID()
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("the victim does not start: %q", out)
		}
	}
}

// start starts this program in a sandbox with a role.
func (w *world) start(ctx context.Context, role string, out *output) (engine.Sandbox, error) {
	private, err := os.MkdirTemp(w.dir, "private-")
	if err != nil {
		return nil, err
	}
	layout := w.engine.Layout(w.tree, private)
	if err := errors.Join(os.MkdirAll(filepath.Join(private, "home"), 0o700), os.MkdirAll(filepath.Join(private, "tmp"), 0o700)); err != nil {
		return nil, err
	}
	coordinates, err := json.Marshal(w.target) //nolint:gosec // the secret is there to be found
	if err != nil {
		return nil, err
	}
	env := []string{"PATH=/usr/bin:/bin", "TMPDIR=" + layout.Temp, "HOME=" + layout.Home}
	if role == victimWord {
		env = append(env, "SECRET="+w.target.Secret)
	}
	return w.engine.Start(ctx, engine.Spec{
		ID: role, Command: []string{filepath.Join(layout.Tree, program), Word, role, string(coordinates)}, Dir: layout.Tree, Env: env,
		Tree: w.tree, Private: private, Stdout: out, Stderr: out,
		Limits: engine.Limits{Memory: memory, Processes: processes, Files: 1024, Temp: temp},
	})
}

// inSandbox runs a role to its end.
func (w *world) inSandbox(ctx context.Context, role string) (string, engine.Exit, error) {
	out := &output{}
	s, err := w.start(ctx, role, out)
	if err != nil {
		return "", engine.Exit{}, err
	}
	timer := time.NewTimer(probeTime)
	defer timer.Stop()
	select {
	case <-s.Done():
	case <-timer.C:
		_ = s.Signal(syscall.SIGKILL)
		<-s.Done()
	}
	return lastLine(out.String()), s.Exit(), nil
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

func (w *world) close() {
	for _, end := range slices.Backward(w.closers) {
		_ = end()
	}
	w.closers = nil
}

// output is what a sandbox printed.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// victim is the other tenant's program.
func victim(t target, out io.Writer) int {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // until it is killed
	if err != nil {
		fmt.Fprintln(out, err)
		return 1
	}
	path := filepath.Join(os.TempDir(), "victim-"+rand.Text())
	if err := os.WriteFile(path, []byte(t.Secret), 0o600); err != nil {
		fmt.Fprintln(out, err)
		return 1
	}
	fmt.Fprintf(out, "victim %d %s\n", l.Addr().(*net.TCPAddr).Port, path)
	for {
		c, err := l.Accept()
		if err != nil {
			return 1
		}
		_, _ = c.Write([]byte(t.Secret))
		_ = c.Close()
	}
}
