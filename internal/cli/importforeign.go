package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/foreign"
	"github.com/aloft-run/aloft/internal/manifest"
)

// What a package of somebody else's may hold: Lambda takes no more than 250 MB.
const (
	foreignFiles = 200_000
	foreignBytes = 512 << 20
)

// importForeign writes apps for a stack that something else made.
func (b *awsBackend) importForeign(ctx context.Context, o importOptions, report aloft.Reporter) (importResult, error) {
	if o.dir == "" {
		return importResult{}, aloft.Errorf(aloft.Invalid, "the stack %s is not one that aloft made", o.stack).
			WithHint("to have apps made from its functions: aloft import stack %s --dir DIR", o.stack)
	}
	dir, err := exportOptions{dir: o.dir}.target()
	if err != nil {
		return importResult{}, err
	}
	stack, text, err := b.platform.Foreign(ctx, b.region, o.stack)
	if err != nil {
		return importResult{}, err
	}
	read := foreign.Read(stack)
	result := importResult{Stack: o.stack, Config: []string{}, Files: []string{}, Imported: orEmpty(read.Imported), Left: orEmpty(read.Left)}
	if len(read.Apps) == 0 {
		return result, aloft.Errorf(aloft.Invalid, "the stack %s has no function that aloft could run", o.stack).WithDetail(fmt.Sprint(read.Left))
	}
	for _, app := range read.Apps {
		if _, err := b.apps.Stage(ctx, o.stageOf(app)); aloft.ErrorCode(err) != aloft.NotFound {
			return result, cmp.Or(err, error(aloft.Errorf(aloft.Conflict, "there is a stage %s", o.stageOf(app)).WithHint("name another --stage")))
		}
	}
	if read.Apps, err = b.inPlace(stack, o, read.Apps, &result, report); err != nil {
		return result, err
	}
	for _, app := range read.Apps {
		at := filepath.Join(dir, app.Name)
		report.Report(aloft.Notice{Text: "the app " + app.Name + " in " + at})
		if err := b.writeForeign(ctx, at, app); err != nil {
			return result, err
		}
		result.Files = append(result.Files, filepath.Join(at, manifest.AloftFile))
		names, err := b.sealForeign(ctx, o, app, report)
		if err != nil {
			return result, err
		}
		result.Config = append(result.Config, names...)
	}
	masked, ok := foreign.Masked(text)
	if !ok {
		report.Report(aloft.Notice{Text: "the stack's template is not understood, so its secrets cannot be masked: it is not written. It is in: aws cloudformation get-template --stack-name " + o.stack})
		return result, nil
	}
	template := filepath.Join(dir, o.stack+".template")
	result.Files = append(result.Files, template)
	return result, writeNew(template, func(w io.Writer) error {
		_, err := w.Write(masked)
		return err
	})
}

// stageOf is the stage that an app's config belongs to.
func (o importOptions) stageOf(app foreign.App) aloft.StageRef {
	return aloft.StageRef{App: app.Name, Stage: o.stage}
}

// sealForeign makes the variables of an app's functions its config. It returns their names.
func (b *awsBackend) sealForeign(ctx context.Context, o importOptions, app foreign.App, report aloft.Reporter) ([]string, error) {
	config := aloft.Config{}
	for _, f := range app.Functions {
		for name, value := range f.Variables {
			if manifest.CheckEnvName(name) != nil {
				report.Report(aloft.Warning{Text: f.Name + ": the variable " + name + " is left out: aloft has none of that name"})
				continue
			}
			config[aloft.VariableOf(f.As, name)] = value
		}
	}
	if len(config) == 0 {
		return nil, nil
	}
	_, err := b.Configure(ctx, aloft.ConfigInput{Stage: o.stageOf(app), Set: config, Author: b.program.authorOn(b)}, report)
	return slices.Sorted(maps.Keys(config)), err
}

// writeForeign unpacks the code of an app and says in its aloft.yml what it is.
func (b *awsBackend) writeForeign(ctx context.Context, dir string, app foreign.App) error {
	zip, err := os.CreateTemp(b.use.own, "code-")
	if err != nil {
		return fmt.Errorf("download the code of %s: %w", app.Name, err)
	}
	defer func() { _ = zip.Close() }() // with the directory of this process it goes
	code, err := b.platform.ForeignCode(ctx, b.region, app.Functions[0].Name)
	if err != nil {
		return err
	}
	size, err := io.Copy(zip, code)
	_ = code.Close()
	if err != nil {
		return aloft.Errorf(aloft.Unavailable, "download the code of %s: %w", app.Name, err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return aloft.Errorf(aloft.Invalid, "%s cannot be made: %w", clean(dir), err)
	}
	if err := artifact.Unzip(ctx, zip, size, dir, artifact.Limits{Files: foreignFiles, Bytes: foreignBytes}); err != nil {
		return err
	}
	return writeNew(filepath.Join(dir, manifest.AloftFile), func(w io.Writer) error {
		_, err := w.Write(app.Manifest)
		return err
	})
}
