package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
)

// runServer is the app in Go: it says hello on the port that PORT names.
func runServer(port string) error {
	return http.ListenAndServe("127.0.0.1:"+port, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "Hello, world!")
	}))
}

const nodeServer = `require('http').createServer((q, r) => r.end('Hello, world!\n')).listen(process.env.PORT)
`

const pythonServer = `import http.server, os
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', '14')
        self.end_headers()
        self.wfile.write(b'Hello, world!\n')
http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), Hello).serve_forever()
`

// app is a program to start.
type app struct {
	name    string
	command []string
	dir     string
}

// apps are those whose runtime is here. The others are named.
func (b *bench) apps(ctx context.Context) (list []app, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	list = []app{{name: "go", command: []string{self, "server"}}}
	for _, a := range []struct{ name, file, text, which string }{
		{"node", "server.js", nodeServer, "console.log(process.execPath)"},
		{"python3", "server.py", pythonServer, "import sys; print(sys.executable)"},
	} {
		// The program itself: what a shim of a version manager costs is not what is measured.
		flag := map[string]string{"node": "-e", "python3": "-c"}[a.name]
		real, err := exec.CommandContext(ctx, a.name, flag, a.which).Output()
		if err != nil {
			fmt.Fprintf(b.out, "%s is missing: not measured\n", a.name)
			continue
		}
		file := filepath.Join(b.dir, a.file)
		if err := os.WriteFile(file, []byte(a.text), 0o644); err != nil {
			return nil, err
		}
		list = append(list, app{name: a.name, command: []string{strings.TrimSpace(string(real)), file}})
	}
	for i, a := range list {
		list[i].dir = filepath.Join(b.dir, "start-"+a.name)
		if err := procfile(list[i].dir, a.command); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// starts measures from exec to the first connection that is accepted, bare, and to "ready" as aloft notices it.
func (b *bench) starts(ctx context.Context) error {
	list, err := b.apps(ctx)
	if err != nil {
		return err
	}
	s, err := b.serve(ctx)
	if err != nil {
		return err
	}
	defer s.stop()
	fmt.Fprintf(b.out, "\nstart, %d rounds: exec → accepts (bare, tried every 0.2 ms), exec → ready (aloft); medians in ms\n", 3*b.rounds)
	fmt.Fprintf(b.out, "%-10s %10s %10s %10s %10s %12s  target: later by ≤ 6\n", "", "bare", "aloft", "later by", "ratio", "held back")
	for _, a := range list {
		var bare, ready, held []float64
		for range 3 * b.rounds {
			alone, err := a.bare(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", a.name, err)
			}
			start, hold, err := s.cold(ctx, a)
			if err != nil {
				return fmt.Errorf("%s under aloft: %w", a.name, err)
			}
			bare, ready, held = append(bare, alone), append(ready, start), append(held, hold)
		}
		later, verdict := median(ready)-median(bare), "met"
		if later > 6 {
			verdict = "MISSED"
		}
		fmt.Fprintf(b.out, "%-10s %10.1f %10.1f %10.1f %10.2f %12.1f  %s\n",
			a.name, median(bare), median(ready), later, median(ready)/median(bare), median(held), verdict)
	}
	return nil
}

// bare starts the app without aloft and returns when it accepts a connection.
func (a app) bare(ctx context.Context) (float64, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	addr := free.Addr().String()
	_ = free.Close()
	_, port, _ := net.SplitHostPort(addr)
	c := exec.CommandContext(ctx, a.command[0], a.command[1:]...)
	c.Env = append(os.Environ(), "PORT="+port)
	began := time.Now()
	if err := c.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	}()
	for {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			return ms(time.Since(began)), conn.Close()
		}
		if time.Since(began) > 20*time.Second {
			return 0, err
		}
		time.Sleep(200 * time.Microsecond)
	}
}

// cold starts the app by a deploy while nothing runs of it. It returns from exec to ready, and how long the deploy held the
// ready app back to see that it stays up.
func (s *server) cold(ctx context.Context, a app) (start, held float64, err error) {
	in, seen := input(a.dir), new(steps)
	if err := s.Stop(ctx, in.Stage); err != nil && aloft.ErrorCode(err) != aloft.NotFound {
		return 0, 0, err
	}
	in.Force = true
	made, err := s.Deploy(ctx, in, seen)
	if err != nil {
		return 0, 0, err
	}
	began, err := s.startOf(ctx, made.Release)
	if err != nil {
		return 0, 0, err
	}
	for line, err := range s.Logs(ctx, aloft.LogQuery{Stage: in.Stage, Limit: 50}) {
		if err != nil {
			return 0, 0, err
		}
		if line.Release == made.Release.Version && line.Stream == "aloft" && strings.HasPrefix(line.Text, "ready on ") {
			start = ms(line.Time.Sub(began))
			return start, ms(seen.of(aloft.StepReady)) - start, nil
		}
	}
	return 0, 0, errors.New("its log does not say when it was ready: v" + strconv.Itoa(made.Release.Version))
}

// startOf returns when the release's instance was started.
func (s *server) startOf(ctx context.Context, release aloft.Release) (time.Time, error) {
	all, err := s.Overview(ctx, release.App)
	if err != nil {
		return time.Time{}, err
	}
	for _, stage := range all {
		for _, i := range stage.Instances {
			if i.Release == release.Version {
				return i.StartedAt, nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("v%d has no instance", release.Version)
}
