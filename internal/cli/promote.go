package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/manifest"
)

const promoteHelp = `Makes a new release of the stage TO that has the code, functions, routes, event sources and resources of what FROM
serves: the same artifact, nothing is built. Config, domains, what was tuned and the platform's settings stay those
of TO. Stages may be on different platforms: a stage of this machine is promoted to AWS, and back.

In the app's directory its files say where the stages are, which hooks run, and which variables app.json requires.
Variables that FROM has and TO lacks are named in a warning.

` + canaryHelp + `

` + lossHelp + `

With --json it prints what aloft up prints.

Exit status: 0 released, or TO has it already; 1 it did not start, and the current release keeps serving; 2 there is no
such release, or it cannot run there.`

type promoteOptions struct {
	from, to    string
	version     string
	description string
	canary      canaryOptions
}

func newPromote(p *program) *cobra.Command {
	var o promoteOptions
	c := newCommand(cobra.Command{
		Use:   "promote FROM TO [flags]",
		Short: "Release on one stage what another one serves",
		Long:  promoteHelp,
		Example: `  aloft promote staging production
  aloft promote staging production --release v12
  aloft promote staging production --canary 10% --for 10m`,
		Args: between(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			var err error
			o.from, o.to = args[0], args[1]
			if o.version, err = checkTarget(o.version); err != nil {
				return err
			}
			return runPromote(c.Context(), p, o)
		},
	})
	c.Flags().StringVar(&o.version, "release", "", "release of FROM: a version, a commit or a tag (default: what it serves)")
	c.Flags().StringVarP(&o.description, "message", "m", "", "why")
	o.canary.flags(c)
	return c
}

func runPromote(ctx context.Context, p *program, o promoteOptions) error {
	canary, err := o.canary.read()
	if err != nil {
		return err
	}
	if p.flags.stageSet {
		return aloft.Errorf(aloft.Invalid, "promote takes its stages as arguments, not --stage").WithHint("aloft promote %s %s", o.from, o.to)
	}
	from, err := p.stage(o.from)
	if err != nil {
		return err
	}
	to, err := p.stage(o.to)
	if err != nil {
		return err
	}
	source, err := p.site(from)
	if err != nil {
		return err
	}
	target, err := p.site(to)
	if err != nil {
		return err
	}
	input := aloft.PromoteInput{
		From: from, To: to, Canary: canary, Dir: p.appDir(to.App), Description: o.description,
		Platform: aloft.PlatformName(p.flags.platform),
	}
	return p.release(ctx, to, func(ctx context.Context, c backend, report aloft.Reporter) (aloft.Deployment, error) {
		input.Author = p.authorOn(c)
		if source == target {
			if input.Version, err = p.target(ctx, c, from, o.version); err != nil {
				return aloft.Deployment{}, err
			}
			return c.Promote(ctx, input, report)
		}
		done, err := p.carry(ctx, source, &input, o.version, report)
		if err != nil {
			return aloft.Deployment{}, err
		}
		defer done()
		return c.Promote(ctx, input, report)
	})
}

// appDir is the source directory if it is that of an app, else "".
func (p *program) appDir(app string) string {
	dir, err := p.dir()
	if err != nil {
		return ""
	}
	m, _, err := manifest.Load(os.DirFS(dir))
	if err != nil {
		return ""
	}
	if name, err := manifest.AppName(m, dir); err != nil || name != app {
		return ""
	}
	return dir
}

// carry fetches the release to promote, with its artifacts, from where its stage is. Done deletes what was fetched.
func (p *program) carry(ctx context.Context, at site, input *aloft.PromoteInput, version string, report aloft.Reporter) (done func(), err error) {
	c, err := p.at(ctx, at, true)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	number, err := p.target(ctx, c, input.From, version)
	if err != nil {
		return nil, err
	}
	release, err := c.Promotable(ctx, input.From, number)
	if err != nil {
		return nil, p.explain(ctx, c, input.From, err)
	}
	dir, err := os.MkdirTemp("", "aloft-promote-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the artifact: %w", err)
	}
	done = func() { _ = os.RemoveAll(dir) }
	input.Release, input.Packages = &release, map[string]string{}
	for _, digest := range release.Digests() {
		file := filepath.Join(dir, digest)
		if err := fetch(ctx, c, digest, file); err != nil {
			done()
			return nil, err
		}
		input.Packages[digest] = file
	}
	report.Report(aloft.Notice{Text: fmt.Sprintf("fetched %s of %s v%d", release.Artifact.Short(), input.From, release.Version)})
	return done, nil
}

// fetch writes an artifact to a file, if it is the one that its digest names.
func fetch(ctx context.Context, from aloft.Promoter, digest, file string) error {
	body, err := from.OpenArtifact(ctx, digest)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // read-only
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep the artifact: %w", err)
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, sum), body)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("fetch the artifact: %w", err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != digest {
		return aloft.Errorf(aloft.Internal, "the artifact %s arrived damaged", aloft.Artifact{Digest: digest}.Short()).WithHint("type the same command again")
	}
	return nil
}
