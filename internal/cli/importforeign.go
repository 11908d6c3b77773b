package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

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
	dir, err := exportOptions{dir: o.dir}.target(b.program)
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
		at := filepath.Join(dir, app.Name)
		report.Report(aloft.Notice{Text: "the app " + app.Name + " in " + at})
		if err := b.writeForeign(ctx, at, app); err != nil {
			return result, err
		}
		result.Files = append(result.Files, filepath.Join(at, manifest.AloftFile))
		for _, f := range app.Functions {
			for name := range f.Variables {
				result.Config = append(result.Config, app.Name+": "+aloft.VariableOf(f.As, name))
			}
		}
	}
	template := filepath.Join(dir, o.stack+".template")
	result.Files = append(result.Files, template)
	return result, writeNew(template, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
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
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil { //nolint:gosec // plain files for others to read
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
