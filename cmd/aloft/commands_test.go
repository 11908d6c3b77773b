package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"
)

// patience bounds every wait of a script.
const patience = 30 * time.Second

type command = func(ts *testscript.TestScript, neg bool, args []string)

func commands() map[string]command {
	return map[string]command{
		"aloft-exit":    exit,
		"copy-aloft":    copyAloft,
		"http":          get,
		"waitfor":       waitFor,
		"retry":         retry,
		"server-schema": serverSchema,
		"kill-server":   killServer,
		"onterminal":    onTerminal,
		"noprocess":     noProcess,
		"nosecret":      noSecret,
		"freeport":      freePort,
		"subst":         subst,
		"edit":          edit,
		"oddfiles":      oddFiles,
	}
}

// need fails the script unless there are at least n arguments and the command is not negated.
func need(ts *testscript.TestScript, neg bool, args []string, n int, usage string) {
	if neg || len(args) < n {
		ts.Fatalf("usage: %s", usage)
	}
}

func exit(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "aloft-exit STATUS ARG...")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec("aloft", args[1:]...); err != nil {
		e, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("aloft: %v", err)
		}
		got = e.ExitCode()
	}
	if got != want {
		ts.Fatalf("aloft %s ended with status %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

func copyAloft(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "copy-aloft DIR")
	self, err := os.Executable()
	ts.Check(err)
	program, err := os.ReadFile(self)
	ts.Check(err)
	ts.Check(os.MkdirAll(ts.MkAbs(args[0]), 0o755))
	ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[0]), "aloft"), program, 0o755))
}

// serverSchema writes the schema into the head of the database, where SQLite has its user_version.
func serverSchema(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "server-schema N")
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	file, err := os.OpenFile(filepath.Join(ts.Getenv("ALOFT_HOME"), "state", "aloft.db"), os.O_WRONLY, 0)
	ts.Check(err)
	defer file.Close()
	_, err = file.WriteAt([]byte{0, 0, 0, byte(n)}, 60)
	ts.Check(err)
}

func get(ts *testscript.TestScript, neg bool, args []string) {
	f := flag.NewFlagSet("http", flag.ContinueOnError)
	method, body := f.String("X", "GET", ""), f.String("d", "", "")
	header := http.Header{}
	f.Func("H", "", func(s string) error {
		k, v, ok := strings.Cut(s, ":")
		if !ok {
			return errors.New("not K:V")
		}
		header.Add(k, strings.TrimSpace(v))
		return nil
	})
	ts.Check(f.Parse(args))
	need(ts, neg, f.Args(), 1, "http [-X METHOD] [-H K:V] [-d BODY] URL")
	r, err := http.NewRequestWithContext(context.Background(), *method, f.Arg(0), strings.NewReader(*body))
	ts.Check(err)
	r.Header = header
	if host := header.Get("Host"); host != "" {
		r.Host = host
	}
	status, data, err := send(ts, r)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n%s", status, data)
}

// send sends a request to the gateway of the script's home, whatever the host is, or to a port of this machine.
func send(ts *testscript.TestScript, r *http.Request) (status string, body []byte, err error) {
	dialer := net.Dialer{Timeout: patience}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if r.URL.Port() == "" {
			addr = gatewayAddress(ts)
		} else if strings.HasSuffix(r.URL.Hostname(), ".localhost") {
			addr = net.JoinHostPort("127.0.0.1", r.URL.Port())
		}
		return dialer.DialContext(ctx, network, addr)
	}}
	defer transport.CloseIdleConnections()
	client := http.Client{
		Transport: transport, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(r)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err = io.ReadAll(response.Body)
	return response.Status, body, err
}

func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "waitfor URL")
	last := "nothing"
	if !eventually(func() bool {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, args[0], nil)
		ts.Check(err)
		status, _, err := send(ts, r)
		last = status
		if err != nil {
			last = err.Error()
		}
		return err == nil && status < "4"
	}) {
		ts.Fatalf("%s answers: %s", args[0], last)
	}
}

func retry(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "retry COMMAND ARG...")
	var err error
	if !eventually(func() bool {
		err = ts.Exec(args[0], args[1:]...)
		return err == nil
	}) {
		ts.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
}

func killServer(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{"KILL": syscall.SIGKILL, "TERM": syscall.SIGTERM, "INT": syscall.SIGINT}
	name := "KILL"
	if len(args) > 0 {
		name = args[0]
	}
	signal, ok := signals[name]
	if neg || !ok {
		ts.Fatalf("usage: kill-server [KILL|TERM|INT]")
	}
	home := ts.Getenv("ALOFT_HOME")
	pid := serverPID(home)
	if pid == 0 {
		ts.Fatalf("no server runs")
	}
	ts.Check(syscall.Kill(pid, signal))
	if !eventually(func() bool { return serverPID(home) == 0 }) {
		ts.Fatalf("the server (pid %d) is still there", pid)
	}
}

func onTerminal(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "onterminal KEYS COMMAND ARG...")
	path := ""
	for dir := range strings.SplitSeq(ts.Getenv("PATH"), ":") {
		if _, err := os.Stat(filepath.Join(dir, args[1])); err == nil && path == "" {
			path = filepath.Join(dir, args[1])
		}
	}
	c := exec.Command(path, args[2:]...)
	c.Dir = ts.MkAbs(".")
	for _, name := range []string{
		"PATH", "HOME", "ALOFT_HOME", "ALOFT_HTTP", "GOCACHE", "GOMODCACHE", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
		"AWS_REGION", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED",
	} {
		if value := ts.Getenv(name); value != "" {
			c.Env = append(c.Env, name+"="+value)
		}
	}
	c.Env = append(c.Env, "TERM=vt100")
	terminal, err := pty.StartWithSize(c, &pty.Winsize{Rows: 33, Cols: 111})
	ts.Check(err)
	defer terminal.Close()
	timer := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
	defer timer.Stop()
	var seen bytes.Buffer
	keys := []byte(strings.NewReplacer("^C", "\x03", "^M", "\r").Replace(args[0]))
	buffer := make([]byte, 4096)
	for { // until an error: nobody has the other side open any more
		n, err := terminal.Read(buffer)
		seen.Write(buffer[:n])
		if len(keys) > 0 && (bytes.Contains(seen.Bytes(), []byte("keys?")) || bytes.Contains(seen.Bytes(), []byte("[y/N]"))) {
			_, _ = terminal.Write(keys)
			keys = nil
		}
		if err != nil {
			break
		}
	}
	_ = c.Wait()
	fmt.Fprintf(ts.Stdout(), "%s\nstatus %d\n", strings.ReplaceAll(seen.String(), "\r\n", "\n"), c.ProcessState.ExitCode())
}

func noProcess(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: noprocess [TEXT]")
	}
	home := ts.Getenv("ALOFT_HOME")
	var left []string
	if !eventually(func() bool {
		left = nil
		for pid, command := range processes() {
			ours := belongs(pid, command, home) && pid != serverPID(home)
			if ours || (len(args) > 0 && strings.Contains(command, args[0])) {
				left = append(left, fmt.Sprintf("%d %s", pid, command))
			}
		}
		return len(left) == 0
	}) {
		ts.Fatalf("processes are left: %q", left)
	}
}

func noSecret(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "nosecret TEXT DIR...")
	for _, dir := range args[1:] {
		files := 0
		ts.Check(filepath.WalkDir(ts.MkAbs(dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			files++
			data, err := os.ReadFile(path)
			if bytes.Contains(data, []byte(args[0])) {
				ts.Fatalf("%s holds the secret", path)
			}
			return err
		}))
		if files == 0 {
			ts.Fatalf("%s has no files to look into", dir)
		}
	}
}

// eventually asks until the answer is yes or patience is over.
func eventually(ask func() bool) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if ask() {
			return true
		}
	}
	return false
}
