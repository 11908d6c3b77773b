package function_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/enginetest"
	"github.com/aloft-run/aloft/internal/engine/process"
	"github.com/aloft-run/aloft/internal/function"
	"github.com/aloft-run/aloft/internal/porttest"
)

func TestItIsReadyWhereverItListens(t *testing.T) {
	dir, fixed := t.TempDir(), porttest.Free(t)
	for _, c := range []struct {
		name, where, listen string
		insists             bool
	}{
		{"the assigned port", "tcp4:$PORT", "127.0.0.1:", false},
		{"on every address", "any:$PORT", "[::1]:", false},
		{"on IPv6 only", "tcp6:$PORT", "[::1]:", false},
		{"a port of its own choice", "tcp4:" + fixed, "127.0.0.1:" + fixed, true},
		{"a port of its own choice, IPv6", "tcp6:" + fixed, "[::1]:" + fixed, true},
		{"a Unix socket", "unix:" + filepath.Join(dir, "x.sock"), "unix:" + dir, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, g := start(t, web(process.New(""), enginetest.Child("listen", c.where)...))
			greets(t, g)
			if got := p.Instances()[0].Listen; !strings.HasPrefix(got, c.listen) {
				t.Errorf("listens on %s, want %s…", got, c.listen)
			}
			if got := p.Insists(); (got != nil) != c.insists {
				t.Errorf("insists on %v", got)
			}
		})
	}
	options := web(process.New(""), enginetest.Child("listen", "unix:"+filepath.Join(dir, "own.sock"))...)
	options.Own = []string{dir}
	if p, _ := start(t, options); p.Insists() != nil {
		t.Error("a socket in the release's own directory stands in nobody's way")
	}
}

func TestTheAssignedPortIsPreferredLaterToo(t *testing.T) {
	p, g := start(t, web(process.New(""), enginetest.Child("late", "500ms", "tcp4:0", "tcp4:$PORT")...))
	if p.Insists() == nil {
		t.Error("at first it listens elsewhere")
	}
	eventually(t, "requests go to the assigned port", func() bool { return p.Insists() == nil })
	greets(t, g)
}

func TestWhatDoesNotStart(t *testing.T) {
	for _, c := range []struct {
		name          string
		command       []string
		code          aloft.Code
		message, hint string
		detail        string
	}{
		{"never listens", enginetest.Child("hang"), aloft.Failed, "it listens on nothing", "$PORT", "ready"},
		{"only UDP", enginetest.Child("listen", "udp:$PORT"), aloft.Failed, "it listens on UDP port ", "$PORT", ""},
		{"exits with 0", enginetest.Child("env"), aloft.Failed, "exit status 0", "keep running", "PORT="},
		{"exits with 3", enginetest.Child("fail", "no database"), aloft.Failed, "exit status 3", "last lines", "no database"},
		{"dies", enginetest.Child("crash"), aloft.Failed, "signal SIGKILL (killed)", "memory", ""},
		{"no such program", []string{"no-such"}, aloft.Failed, `no program "no-such"`, "PATH", ""},
		{"script without program", []string{"sh", "-c", "no-such"}, aloft.Failed, "exit status 127", "not found", "no-such"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			options := web(process.New(""), c.command...)
			options.Function.BootTimeout = aloft.Duration(300 * time.Millisecond)
			if strings.HasPrefix(c.message, "exit") {
				options.Function.BootTimeout = 0
			}
			err := fails(t, options)
			e, ok := errors.AsType[*aloft.Error](err)
			if !ok || e.Code != c.code || !strings.Contains(e.Message, c.message) || !strings.Contains(e.Hint, c.hint) || !strings.Contains(e.Detail, c.detail) {
				t.Errorf("got %#v", err)
			}
		})
	}
}

func TestHealthCheck(t *testing.T) {
	options := web(process.New(""), enginetest.Child("listen", "tcp4:$PORT")...)
	options.Function.HealthPath = "/fine"
	_, g := start(t, options)
	greets(t, g)

	options.Function.HealthPath, options.Function.BootTimeout = "/sick", aloft.Duration(200*time.Millisecond)
	err := fails(t, options)
	if aloft.ErrorCode(err) != aloft.Failed || !strings.Contains(err.Error(), "GET /sick answers 503") {
		t.Errorf("sick: %v", err)
	}
}

func TestPortTaken(t *testing.T) {
	fixed := porttest.Free(t)
	options := web(process.New(""), enginetest.Child("listen", "tcp4:"+fixed)...)
	start(t, options)
	other := options
	other.Stage = aloft.StageRef{App: "blog", Stage: "staging"}
	err := fails(t, other)
	taken, ok := errors.AsType[*function.PortTaken](err)
	if !ok || aloft.ErrorCode(err) != aloft.Conflict || taken.Stage != options.Stage || !strings.Contains(err.Error(), "port "+fixed+" is already in use by shop/staging") {
		t.Errorf("of another app: %v", err)
	}

	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	foreign := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	err = fails(t, web(process.New(""), enginetest.Child("listen", "tcp4:"+foreign)...))
	if want := "pid " + strconv.Itoa(os.Getpid()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("of another program: %v, want %q", err, want)
	}
	err = fails(t, web(process.New(""), enginetest.Child("late", "5ms", "tcp4:$PORT", "tcp4:"+foreign)...))
	if _, ok := errors.AsType[*function.PortTaken](err); !ok {
		t.Errorf("of the second port, after the first was opened: %v", err)
	}
	for _, text := range []string{
		"Error: listen EADDRINUSE: address already in use :::" + fixed,
		"12:30:59 listen tcp :" + fixed + ": bind: address already in use",
		"ERROR: [Errno 98] error while attempting to bind on address ('127.0.0.1', " + fixed + "): address already in use",
		"Web server failed to start. Port " + fixed + " was already in use.",
		"Connection in use: ('0.0.0.0', " + fixed + ")",
		"Address already in use\nPort: " + fixed,
	} {
		other.Prepare = prepare(enginetest.Child("fail", text))
		err := fails(t, other)
		if taken, ok := errors.AsType[*function.PortTaken](err); !ok || strconv.Itoa(taken.Port) != fixed {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAnotherPortIsTriedWhenTheChosenIsLost(t *testing.T) {
	options := web(process.New(""))
	tries := 0
	options.Prepare = func(_ string, port int) (engine.Spec, func(), error) {
		tries++
		command := enginetest.Child("listen", "tcp4:$PORT")
		if tries == 1 {
			command = enginetest.Child("fail", fmt.Sprintf("address already in use 127.0.0.1:%d", port))
		}
		return engine.Spec{Command: command, Env: []string{"PORT=" + strconv.Itoa(port)}}, nil, nil
	}
	_, g := start(t, options)
	greets(t, g)
	if tries != 2 {
		t.Errorf("%d tries", tries)
	}
}

func TestItIsStartedAgainAfterACrash(t *testing.T) {
	p, g := start(t, web(process.New(""), enginetest.Child("listen", "tcp4:$PORT")...))
	before, err := get(t.Context(), g, "/pid")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = get(t.Context(), g, "/crash")
	eventually(t, "the crash is seen", func() bool { return p.Instances()[0].State == aloft.Crashed })
	if got := p.Instances()[0].Reason; !strings.HasPrefix(got, "exit status 7; starts again in ") {
		t.Errorf("reason %q", got)
	}
	after, err := get(t.Context(), g, "/pid") // waits
	if err != nil || after == before {
		t.Errorf("pid %s, then %s, %v", before, after, err)
	}
}

func TestOutputBecomesLines(t *testing.T) {
	var mu sync.Mutex
	var texts []string
	options := web(process.New(""))
	options.Function.Kind = aloft.Worker
	options.Function.Name = "clock"
	long := strings.Repeat("y", 300<<10)
	options.Prepare = prepare([]string{"sh", "-c", `echo one; echo two >&2; printf 'no end'; yes y | tr -d '\n' | head -c 307200 >&2`})
	options.Log = func(line aloft.LogLine) {
		mu.Lock()
		defer mu.Unlock()
		if line.Time.IsZero() || line.Function != "clock" || line.Release != 1 {
			t.Errorf("line %+v", line)
		}
		texts = append(texts, line.Stream+" "+line.Text)
	}
	p := function.NewPool(options)
	if err := p.Start(t.Context(), func() {}); err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	has := func(want string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			for _, text := range texts {
				if strings.HasPrefix(text, want) {
					return true
				}
			}
			return false
		}
	}
	for _, want := range []string{
		"aloft started, pid ", "stdout one", "stderr two", "stdout no end",
		"stderr " + long[:256<<10], "stderr " + long[256<<10:], "aloft exit status 0; starts again in ",
	} {
		eventually(t, "line "+want[:min(40, len(want))], has(want))
	}
}
