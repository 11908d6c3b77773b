// Package attack tries from inside a sandbox what a hostile program would try, and says what an engine let pass. Every
// probe is harmless where it succeeds: it asks for permission with arguments that then fail.
package attack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
)

// Word is the first argument with which a program calls Main instead of being itself.
const Word = "attack-probe"

// Probe is one thing to try.
type Probe struct {
	Name  string // in a few words, what is tried
	Group string
	// From is the weakest level at which it must fail; 0 is for what every app needs, which must work at all levels.
	From  engine.Level
	try   func(t target) error // nil: it worked
	after func(w *world) error // looks from outside whether it really did
}

// target says where the things are that a probe goes for.
type target struct {
	PID        int    // of another tenant's program
	Daemon     int    // of the server
	Port       int    // on which the other tenant listens
	TempFile   string // the other tenant's
	Secret     string // that is in both files, and in the other tenant's environment
	Control    string // address of a stand-in for the server's API
	HostAddr   string // the same at another address of the machine; "" if it has none
	Abstract   string // name of a Unix socket of the server
	File       string // of the server
	Tree       string // the attacker's own code, as it sees it
	Privileged bool   // the server is root
}

// Result is what came of a probe.
type Result struct {
	Name     string `json:"name"`
	Group    string `json:"group"`
	Allowed  bool   `json:"allowed"`
	Expected bool   `json:"expected"`
	Reason   string `json:"reason,omitempty"` // why it failed
}

// Report is what came of all.
type Report struct {
	Level   engine.Level `json:"level"`
	Engine  string       `json:"engine"`
	Results []Result     `json:"results"`
}

// Unexpected are the results that are not as they should be at the level.
func (r Report) Unexpected() []Result {
	var bad []Result
	for _, one := range r.Results {
		if !one.Expected {
			bad = append(bad, one)
		}
	}
	return bad
}

// Run tries all probes on an engine. Self is the program that calls Main when its first argument is Word.
func Run(ctx context.Context, e engine.Engine, self string) (Report, error) {
	report := Report{Level: e.Level(), Engine: e.Name()}
	w, err := newWorld(ctx, e, self)
	if err != nil {
		return report, err
	}
	defer w.close()
	for _, p := range Probes() {
		result, err := w.run(ctx, p)
		if err != nil {
			return report, fmt.Errorf("probe %q: %w", p.Name, err)
		}
		report.Results = append(report.Results, result)
	}
	return report, nil
}

// run tries one probe in a sandbox of its own.
func (w *world) run(ctx context.Context, p Probe) (Result, error) {
	result := Result{Name: p.Name, Group: p.Group}
	said, exit, err := w.inSandbox(ctx, p.Name)
	if err != nil {
		return result, err
	}
	switch line := strings.TrimSpace(said); {
	case strings.HasPrefix(line, allowedWord):
		result.Allowed = true
	case strings.HasPrefix(line, blockedWord):
		result.Reason = strings.TrimSpace(strings.TrimPrefix(line, blockedWord))
	default: // it did not live to say it
		result.Reason = fmt.Sprintf("ended by %v, status %d, out of memory %v %s", exit.Signal, exit.Status, exit.OutOfMemory, line)
	}
	if p.after != nil && result.Allowed {
		if err := p.after(w); err != nil {
			result.Allowed, result.Reason = false, err.Error()
		}
	}
	result.Expected = result.Allowed || p.From != 0
	if p.From != 0 && w.engine.Level() >= p.From {
		result.Expected = !result.Allowed
	}
	return result, nil
}

const (
	allowedWord = "allowed"
	blockedWord = "blocked"
	probeTime   = 20 * time.Second
)

// Main runs one probe, or the victim, as its arguments say, prints what came of it, and returns the exit status.
func Main(args []string, out io.Writer) int {
	if len(args) != 2 {
		fmt.Fprintln(out, "usage: "+Word+" PROBE TARGET")
		return 2
	}
	var t target
	if err := json.Unmarshal([]byte(args[1]), &t); err != nil {
		fmt.Fprintln(out, err)
		return 2
	}
	if args[0] == victimWord {
		return victim(t, out)
	}
	for _, p := range Probes() {
		if p.Name != args[0] {
			continue
		}
		if err := p.try(t); err != nil {
			fmt.Fprintln(out, blockedWord, err)
			return 0
		}
		fmt.Fprintln(out, allowedWord)
		return 0
	}
	return 2
}

// contains reports, as an error, that a file does not hold the secret.
func contains(path, secret string) error {
	data, err := os.ReadFile(path)
	if err == nil && !bytes.Contains(data, []byte(secret)) {
		err = fmt.Errorf("%s does not hold the secret", path)
	}
	return err
}
