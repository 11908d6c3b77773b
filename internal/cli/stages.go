package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/manifest"
)

// meant returns Invalid for a stage that would be new and is called nearly as one of aloft.yml: where that one is to run, this one
// would not.
func (p *program) meant(ctx context.Context, ref aloft.StageRef) error {
	if ref.Stage == "" {
		return nil
	}
	m, err := p.manifest(ref.App)
	if err != nil {
		return err
	}
	near := nearest(ref.Stage, m.Stages())
	usual := ref.Stage == aloft.Production || ref.Stage == aloft.DefaultStage
	if near == "" || usual || slices.Contains(m.Stages(), ref.Stage) {
		return nil
	}
	if exists, err := p.exists(ctx, ref); err != nil || exists {
		return err
	}
	return aloft.Errorf(aloft.Invalid, "there is no stage %s, and %s has %s", ref, manifest.AloftFile, near).
		WithHint("did you mean %s? For a new stage write it below stages: in %s", near, manifest.AloftFile)
}

// exists reports whether a stage is where the files say. No server is started for it in a home directory that never had one.
func (p *program) exists(ctx context.Context, ref aloft.StageRef) (bool, error) {
	at, err := p.site(ref)
	if err != nil {
		return false, err
	}
	home, err := p.home()
	if err != nil {
		return false, err
	}
	_, none := os.Stat(filepath.Join(home, stateFile))
	c, err := p.at(ctx, at, none == nil)
	if err != nil {
		if none != nil && !at.aws && aloft.ErrorCode(err) == aloft.Unavailable {
			err = nil
		}
		return false, err
	}
	defer c.Close()
	_, err = c.Releases(ctx, ref, 1)
	if aloft.ErrorCode(err) == aloft.NotFound {
		return false, nil
	}
	return err == nil, err
}

// stagesElsewhere are the stages of aloft.yml that are not where the app as a whole is.
func (p *program) stagesElsewhere(app string) []string {
	m, err := p.manifest(app)
	here, hereErr := p.site(aloft.StageRef{App: app})
	if err != nil || hereErr != nil {
		return nil
	}
	var all []string
	for _, stage := range m.Stages() {
		if at, err := p.site(aloft.StageRef{App: app, Stage: stage}); err == nil && at != here {
			all = append(all, stage)
		}
	}
	return all
}

// tellElsewhere says which stages a command did not look at, and what does.
func (p *program) tellElsewhere(app, did, instead string) {
	if stages := p.stagesElsewhere(app); len(stages) > 0 && !p.flags.quiet {
		fmt.Fprintf(p.err, "%s: %s of %s, which is elsewhere: %s\n", did, strings.Join(stages, ", "), app, fmt.Sprintf(instead, stages[0]))
	}
}

// elsewhere is the error of an app that is not where it is as a whole, with the stages that it has in other places.
func (p *program) elsewhere(ctx context.Context, ref aloft.StageRef, err error) error {
	if ref.Stage != "" || aloft.ErrorCode(err) != aloft.NotFound || len(p.stagesElsewhere(ref.App)) == 0 {
		return err
	}
	all, listErr := p.overview(ctx, ref.App, false)
	if listErr != nil || len(all) == 0 {
		return err
	}
	var stages []string
	for _, s := range all {
		stages = append(stages, s.Stage.Stage)
	}
	return aloft.Errorf(aloft.NotFound, "%s has no stage where the app as a whole is; it has elsewhere: %s", ref.App, strings.Join(stages, ", ")).
		WithHint("delete one by its name: aloft destroy %s", stages[0])
}
