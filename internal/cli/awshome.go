package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/manifest"
)

// checkHome is asked before anything is made: it returns Conflict if the records here do not have what serves a stage, and warns if
// this machine remembers another home of it.
func (b *awsBackend) checkHome(ctx context.Context, ref aloft.StageRef, report aloft.Reporter) error {
	if err := b.platform.CheckHome(ctx, b.placed(ref)); err != nil {
		return err
	}
	b.warnOfHome(ref, report)
	return nil
}

// placed is a release of a stage of which no more is known than where the project has it run, and in which stack.
func (b *awsBackend) placed(ref aloft.StageRef) aloft.Release {
	at := &aloft.AWS{Regions: []string{b.region}}
	if s, err := b.program.settings(ref); err == nil && s.AWS != nil {
		at.Stack = s.AWS.Stack
		if len(s.AWS.Regions) > 0 && s.AWS.Regions[0] == b.region {
			at.Regions = s.AWS.Regions
		}
	}
	return aloft.Release{StageRef: ref, AWS: at}
}

// warnOfHome says that this machine remembers another home of a stage: what is there goes on, and costs.
func (b *awsBackend) warnOfHome(ref aloft.StageRef, report aloft.Reporter) {
	before, err := os.ReadFile(b.homeMark(ref))
	if err == nil && string(before) != b.region {
		report.Report(aloft.Warning{Text: fmt.Sprintf("%s had its home in %s, where its stack, its records and its config stay: this is another one, in %s, with no config. "+
			"To go on there, make %s the first of regions: in %s again; to give it up, do that, aloft destroy %s, and then change it", ref, before, b.region, before, manifest.AloftFile, ref.Stage)})
	}
}

// rememberHome notes on this machine where a stage has its home. It is a help, no record: if that fails nothing is lost.
func (b *awsBackend) rememberHome(ref aloft.StageRef) {
	mark := b.homeMark(ref)
	if err := os.MkdirAll(filepath.Dir(mark), 0o700); err != nil {
		b.logger.Warn("remember the home of a stage", "error", err)
		return
	}
	if err := os.WriteFile(mark, []byte(b.region), 0o600); err != nil {
		b.logger.Warn("remember the home of a stage", "error", err)
	}
}

// forgetHome is for a stage, or with a stage "" an app, that is no more in this home.
func (b *awsBackend) forgetHome(ref aloft.StageRef) {
	if before, err := os.ReadFile(b.homeMark(ref)); ref.Stage == "" || err == nil && string(before) == b.region {
		_ = os.RemoveAll(b.homeMark(ref)) // what is left warns of nothing that matters
	}
}

func (b *awsBackend) homeMark(ref aloft.StageRef) string {
	return filepath.Join(b.dir, "homes", b.session.Account, ref.App, ref.Stage)
}

// lost says, as a deploy would, that a stage without records has a stack that serves; nil if it has none, or that is not known.
func (b *awsBackend) lost(ctx context.Context, ref aloft.StageRef) *aloft.Error {
	err := b.platform.CheckHome(ctx, b.placed(ref))
	if e, ours := errors.AsType[*aloft.Error](err); ours && e.Code == aloft.Conflict {
		return e
	}
	return nil
}
