package local

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
)

// runGrace is how long a one-off command may take to end after it was told to.
const runGrace = 3 * time.Second

// Run implements aloft.Runner with the release that serves, or served last.
func (p *Platform) Run(ctx context.Context, input aloft.RunInput) (int, error) {
	var release aloft.Release
	if s := p.known(input.Stage); s != nil {
		s.mu.Lock()
		release = s.release.Clone()
		s.mu.Unlock()
	}
	if release.Artifact.Digest == "" {
		return 0, aloft.Errorf(aloft.NotFound, "%s has no release to run a command in", input.Stage).WithHint("deploy it first: aloft up")
	}
	return p.RunRelease(ctx, release, input)
}

// RunRelease runs a one-off command with the code and config of a release, which need not be the current one, in a tree of
// its own. A command that a signal ended has the status 128 and the signal's number. When ctx ends the command is ended.
func (p *Platform) RunRelease(ctx context.Context, release aloft.Release, input aloft.RunInput) (int, error) {
	if err := p.begin(); err != nil {
		return 0, err
	}
	defer p.background.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.work, cancel)()
	config, err := p.Unseal(ctx, release)
	if err != nil {
		return 0, fmt.Errorf("open the config of v%d: %w", release.Version, err)
	}
	id := "run-" + strings.ToLower(rand.Text()[:8])
	d := &deployment{platform: p, release: release, config: config}
	if d.tree, err = p.unpack(ctx, release, release.Artifact.Digest, id); err != nil {
		return 0, err
	}
	defer d.remove()
	if err := d.unpackLayers(ctx); err != nil {
		return 0, err
	}
	if err := d.openAccess(ctx); err != nil {
		return 0, err
	}
	private, err := p.private(release.StageRef, id)
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(private) }()
	spec := d.spec(d.main(), private, 0)
	spec.ID, spec.Command, spec.Lossless = "the command", input.Command, true
	spec.Stdin, spec.Stdout, spec.Stderr = input.Stdin, input.Stdout, input.Stderr
	if t := input.Terminal; t != nil {
		spec.Terminal, spec.Env = t.File, append(spec.Env, "TERM="+t.Type)
	}
	defer d.access.join(&spec)()
	box, err := p.Engine.Start(ctx, spec)
	if err != nil {
		return 0, err
	}
	select {
	case <-box.Done():
		return status(box.Exit()), nil
	case <-ctx.Done():
		end(box)
		return 0, canceled(ctx)
	}
}

// main is the function whose environment a one-off command gets.
func (d *deployment) main() aloft.Function {
	for _, f := range d.release.Functions { // one that is turned off too
		if f.Kind != aloft.Static {
			return d.release.Tuning[f.Name].Apply(f)
		}
	}
	return aloft.Function{}
}

func status(exit engine.Exit) int {
	if exit.Signal != 0 {
		return 128 + int(exit.Signal)
	}
	return exit.Status
}

// end ends a command that nobody waits for any more, politely first. It gives up on one whose output nobody takes.
func end(box engine.Sandbox) {
	for _, sig := range []os.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		_ = box.Signal(sig)
		timer := time.NewTimer(runGrace)
		select {
		case <-box.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}
