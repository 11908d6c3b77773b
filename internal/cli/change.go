package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aloft-run/aloft"
)

// deployment is a deployment as --json says it.
type deployment struct {
	App          string            `json:"app"`
	Stage        string            `json:"stage"`
	Release      int               `json:"release"`
	URL          string            `json:"url"`
	FunctionURLs map[string]string `json:"functionUrls,omitempty"` // addresses of single functions
	Artifact     artifactResult    `json:"artifact"`
	Build        buildShort        `json:"build,omitzero"`
	Isolation    string            `json:"isolation,omitempty"`
	Level        int               `json:"level,omitempty"`
	Seconds      float64           `json:"seconds"`
	Unchanged    bool              `json:"unchanged"`
}

type artifactResult struct {
	Digest string `json:"digest"`
	Size   int64  `json:"size"`
	Files  int    `json:"files"`
}

type buildShort struct {
	Buildpack string  `json:"buildpack"`
	Cached    bool    `json:"cached"`
	Seconds   float64 `json:"seconds"`
}

// change is work that makes a release.
type change func(ctx context.Context, c backend, report aloft.Reporter) (aloft.Deployment, error)

// release does a change of a stage, shows its progress and prints what came of it.
func (p *program) release(ctx context.Context, ref aloft.StageRef, do change) error {
	d, err := p.carryOut(ctx, ref, do)
	if err != nil {
		return err
	}
	return p.printDeployment(d)
}

// carryOut does a change of a stage, shows its progress, and asks before something is lost.
func (p *program) carryOut(ctx context.Context, ref aloft.StageRef, do change) (d aloft.Deployment, err error) {
	err = p.asking(ctx, func() error {
		d, err = p.carryOutOnce(ctx, ref, do)
		return err
	})
	return d, err
}

func (p *program) carryOutOnce(ctx context.Context, ref aloft.StageRef, do change) (d aloft.Deployment, err error) {
	c, err := p.connect(ctx, ref)
	if err != nil {
		return d, err
	}
	defer c.Close()
	err = p.work(ctx, func(report aloft.Reporter) error {
		d, err = do(ctx, c, report)
		return err
	})
	if interrupted(ctx) {
		p.tellState(ctx, c, ref)
	}
	if err != nil {
		return d, p.explain(ctx, c, ref, err)
	}
	return d, nil
}

// work does something long and shows its progress.
func (p *program) work(ctx context.Context, do func(report aloft.Reporter) error) error {
	report := p.newProgress()
	err := do(report)
	e, ok := errors.AsType[*aloft.Error](err)
	detail := ""
	if ok {
		detail = e.Detail
	}
	_, asks := errors.AsType[*aloft.LossError](err)
	if said := report.end(err != nil && !asks && ctx.Err() == nil, detail); said && !p.wantsJSON() {
		return e.WithDetail("")
	}
	return err
}

// tellState says what an interrupted change left. The server is asked anew: ctx is over.
func (p *program) tellState(ctx context.Context, c backend, ref aloft.StageRef) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	text := "the server does not answer; aloft releases shows what it did"
	statuses, err := c.Overview(ctx, ref.App)
	if err == nil || aloft.ErrorCode(err) == aloft.NotFound {
		text = ref.String() + " has no release"
	}
	for _, s := range statuses {
		if s.Stage.StageRef == ref && s.Stage.Current > 0 {
			text = fmt.Sprintf("%s is at v%d", ref, s.Stage.Current)
		}
	}
	fmt.Fprintln(p.err, "interrupted:", text)
}

// printDeployment prints what a change came to.
func (p *program) printDeployment(d aloft.Deployment) error {
	if p.flags.json {
		return p.printJSON(deployment{
			App: d.Release.App, Stage: d.Release.Stage, Release: d.Release.Version, URL: d.URL, FunctionURLs: d.FunctionURLs,
			Artifact:  artifactResult(d.Release.Artifact),
			Build:     buildShort{Buildpack: d.Build.Buildpack, Cached: d.Build.Cached, Seconds: d.Build.Elapsed.Seconds()},
			Isolation: d.Isolation, Level: d.Level, Seconds: d.Elapsed.Seconds(), Unchanged: d.Unchanged,
		})
	}
	idle := d.Release.Artifact.Digest == ""
	if !p.flags.quiet {
		paint, name := p.paint(p.err), d.Release.StageRef.String()
		switch {
		case idle:
			fmt.Fprintf(p.err, "%s v%d is recorded; it takes effect with the first deploy\n", name, d.Release.Version)
		case d.Unchanged:
			fmt.Fprintf(p.err, "nothing changed: %s stays at v%d\n", name, d.Release.Version)
		default:
			isolation := ""
			if d.Level > 0 {
				isolation = fmt.Sprintf(", isolation level %d", d.Level)
			}
			fmt.Fprintf(p.err, "%s serves %s\n", paint.bold(fmt.Sprintf("%s v%d", name, d.Release.Version)), paint.dim(short(d.Elapsed)+isolation))
		}
		for _, name := range slices.Sorted(maps.Keys(d.FunctionURLs)) {
			fmt.Fprintf(p.err, "function %s: %s\n", name, clean(d.FunctionURLs[name]))
		}
		if p.flags.verbose {
			p.printPackage(d.Build)
		}
	}
	if !idle {
		fmt.Fprintln(p.out, clean(d.URL))
	}
	return nil
}

// printPackage prints the size of a package and where it comes from.
func (p *program) printPackage(b aloft.Build) {
	if b.Artifact.Digest == "" {
		return
	}
	fmt.Fprintf(p.err, "package %s: %s in %s\n", b.Artifact.Short(), aloft.SizeText(b.Artifact.Size), plural(b.Artifact.Files, "file"))
	for _, d := range b.Largest {
		fmt.Fprintf(p.err, "  %10s  %s\n", aloft.SizeText(d.Size), clean(d.Path))
	}
}
