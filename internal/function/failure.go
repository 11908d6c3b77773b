package function

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
)

func canceled(ctx context.Context) error {
	return aloft.Errorf(aloft.Canceled, "the start was given up: %w", context.Cause(ctx))
}

// reasonOf returns an error in the few words of a status.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*exitError](err); ok {
		return exitText(e.exit)
	}
	return err.Error()
}

// exitError is the cause of an error about an instance that ended.
type exitError struct{ exit engine.Exit }

func (e *exitError) Error() string { return exitText(e.exit) }

// exitText says how a command ended: "exit status 1", "signal SIGSEGV (segmentation fault)".
func exitText(exit engine.Exit) string {
	if exit.OutOfMemory {
		return "out of memory"
	}
	if exit.Signal != 0 {
		return fmt.Sprintf("signal %s (%s)", unix.SignalName(exit.Signal), exit.Signal)
	}
	return fmt.Sprintf("exit status %d", exit.Status)
}

// ended says why an instance is no more.
func (i *instance) ended() error {
	if taken := i.portTaken(); taken != nil {
		return i.conflict(taken)
	}
	exit := i.box.Exit()
	name := i.pool.Function.Name
	e := aloft.Errorf(aloft.Failed, "%s ended (%w)", name, &exitError{exit})
	if i.pool.Function.Kind != aloft.Worker {
		e = aloft.Errorf(aloft.Failed, "%s ended before it was ready (%w)", name, &exitError{exit})
	}
	switch {
	case exit.OutOfMemory:
		e = e.WithHint("it wanted more than the %d MB that it may use: raise memory in aloft.yml, or make it need less", i.pool.Function.Memory)
	case exit.Signal == unix.SIGKILL:
		e = e.WithHint("something killed it: the system may be out of memory (see dmesg)")
	case exit.Signal == 0 && exit.Status == 0 && i.pool.Function.Kind == aloft.Web:
		e = e.WithHint("a web server must keep running: start it in the foreground, without & or a daemon option")
	case exit.Status == 127:
		e = e.WithHint("a program was not found: see the last line of its output, and that the build installs it")
	case exit.Status == 126:
		e = e.WithHint("a program could not be executed: chmod +x it")
	default:
		e = e.WithHint(seeLines)
	}
	if len(i.output.tail.Lines()) == 0 && e.Hint == seeLines {
		e = e.WithHint("it printed nothing; try its command with: aloft run -- COMMAND")
	}
	return e.WithDetail(i.lastLines())
}

// seeLines is the hint when nothing more is known.
const seeLines = "its last lines say why; aloft logs shows all of them"

func (i *instance) lastLines() string { return i.output.tail.String() }

// silent says why an instance that runs is not ready after its boot time.
func (i *instance) silent(boot time.Duration, health string) error {
	name := i.pool.Function.Name
	if health != "" {
		return aloft.Errorf(aloft.Failed, "%s was not healthy within %s: %s", name, boot, health).
			WithHint("let the health check's path answer 2xx or 3xx, or raise health.timeout in aloft.yml").WithDetail(i.lastLines())
	}
	return aloft.Errorf(aloft.Failed, "%s did not take connections within %s: it listens on %s", name, boot, i.listensOn()).
		WithHint("let it listen on $PORT (%d was given), on any TCP port or on a Unix socket; raise health.timeout in aloft.yml if it is slow", i.port).
		WithDetail(i.lastLines())
}

// listensOn names the sockets that the instance has opened.
func (i *instance) listensOn() string {
	var names []string
	addrs, _ := i.box.Listeners()
	for _, addr := range addrs {
		names = append(names, show(addr)+" (does not accept)")
	}
	if lister, ok := i.box.(engine.DatagramLister); ok && len(names) == 0 {
		udp, _ := lister.Datagrams()
		for _, addr := range udp {
			if u, isUDP := addr.(*net.UDPAddr); isUDP {
				names = append(names, "UDP port "+strconv.Itoa(u.Port))
			}
		}
		if len(names) > 0 {
			names[len(names)-1] += " only"
		}
	}
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

var (
	inUse    = regexp.MustCompile(`(?i)eaddrinuse|addrinuse|(address|port|socket|connection)\b.* in use`)
	clock    = regexp.MustCompile(`\b\d{1,2}:\d{2}(:\d{2})?\b`)
	portWord = regexp.MustCompile(`(?i)\bport[:= ]+(\d{2,5})\b`)
	portMark = regexp.MustCompile(`(?:[:\]]:|[a-z\d*]:|\s:|', )(\d{2,5})\b`)
)

// portTaken looks in the output of an instance that ended for a port that it could not have.
func (i *instance) portTaken() *PortTaken {
	lines := i.output.tail.Lines()
	for at, line := range lines {
		if !inUse.MatchString(line) {
			continue
		}
		taken := &PortTaken{}
		taken.Port = portIn(line, portWord, portMark)
		for _, text := range lines[at:] { // some say it below
			if taken.Port == 0 {
				taken.Port = portIn(text, portWord)
			}
		}
		i.findHolder(taken)
		return taken
	}
	return nil
}

// portIn returns the port that a line names in one of the ways, 0 if none.
func portIn(line string, ways ...*regexp.Regexp) int {
	line = clock.ReplaceAllString(line, "")
	for _, way := range ways {
		if all := way.FindAllStringSubmatch(line, -1); len(all) > 0 {
			if port, err := strconv.Atoi(all[len(all)-1][1]); err == nil && port < 1<<16 {
				return port
			}
		}
	}
	return 0
}

func (i *instance) findHolder(taken *PortTaken) {
	taken.Holder = "another program"
	if i.pool.ownNetwork() {
		taken.Holder = "another process of the app"
		return
	}
	if taken.Port == 0 { // the output does not say which
		if names := i.pool.Ports.insisting(i); len(names) > 0 {
			taken.Holder = strings.Join(names, " or ") + ", or another program"
		}
		return
	}
	if other, ok := i.pool.Ports.holder(taken.Port, i); ok {
		taken.Stage, taken.PID, taken.Holder = other.pool.Stage, other.box.PID(), other.pool.Stage.String()
		return
	}
	if finder, ok := i.pool.Engine.(engine.PortHolder); ok {
		if pid, name, found := finder.Holder(taken.Port); found {
			taken.PID, taken.Holder = pid, fmt.Sprintf("pid %d (%s)", pid, name)
		}
	}
}

// lostPort reports whether an instance that ended did so because another program took the port chosen for it.
func (i *instance) lostPort() bool {
	if i.port == 0 {
		return false
	}
	select {
	case <-i.box.Done():
	default:
		return false
	}
	taken := i.portTaken()
	return taken != nil && taken.Port == i.port
}

func (i *instance) conflict(taken *PortTaken) error {
	e := aloft.Errorf(aloft.Conflict, "%s cannot start: %w", i.pool.Function.Name, taken).WithDetail(i.lastLines())
	switch {
	case taken.Stage == i.pool.Stage && taken.Port != 0:
		return e.WithHint("let it listen on $PORT, so that several instances can run at once")
	case taken.Stage != aloft.StageRef{}:
		return e.WithHint("let one of them listen on $PORT, or stop the other: aloft stop --app %s --stage %s", taken.Stage.App, taken.Stage.Stage)
	}
	return e.WithHint("let it listen on $PORT, or end the program that holds the port")
}
