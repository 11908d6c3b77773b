package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/aws"
	"github.com/aloft-run/aloft/internal/deploy"
	"github.com/aloft-run/aloft/internal/export"
	"github.com/aloft-run/aloft/internal/mem"
	"github.com/aloft-run/aloft/internal/standard"
)

// builder builds apps for AWS without AWS: with the caches of this machine, and neither an account nor a server.
type builder struct {
	program *program
	use     *shared
	store   *artifact.Store
	engine  *lazyEngine
	deploy  *deploy.Deployer
	shim    aws.Shim
}

// openBuilder returns a builder, which must be closed.
func (p *program) openBuilder() (*builder, error) {
	home, err := p.home()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(home, "aws")
	if err := makeHome(dir); err != nil {
		return nil, err
	}
	b := &builder{program: p}
	if b.use, err = share(dir); err != nil {
		return nil, err
	}
	if b.store, err = artifact.Open(filepath.Join(dir, "artifacts")); err != nil {
		b.Close()
		return nil, err
	}
	logger := slog.New(slog.DiscardHandler)
	b.engine = &lazyEngine{program: p, dir: b.use.own, logger: logger}
	region := cmp.Or(p.flags.region, p.env["AWS_REGION"], p.env["AWS_DEFAULT_REGION"], "us-east-1")
	b.deploy = deploy.New(deploy.Options{
		Apps: &mem.Store{}, Artifacts: b.store, Buildpacks: standard.Buildpacks(), Sources: cloudSources(), Engine: b.engine,
		Logs: noLogs{}, Dir: filepath.Join(dir, "deploy"), BuildEnv: buildEnv(p.env), Logger: logger, AWS: &aloft.AWS{Regions: []string{region}},
		Shared: true, LockBuild: b.use.lockBuild,
	})
	return b, nil
}

// Close gives up what it holds.
func (b *builder) Close() {
	if b.engine != nil {
		b.engine.close()
	}
	b.use.close(func() error { return b.deploy.Tidy(context.Background(), keptFor) })
}

// export builds an app and makes the files.
func (b *builder) export(ctx context.Context, input aloft.DeployInput, o exportOptions, report aloft.Reporter) (export.Output, error) {
	draft, err := b.deploy.Draft(ctx, input, report)
	if err != nil {
		return export.Output{}, err
	}
	release := draft.Release
	if b.shim, err = layer(ctx, cmp.Or(release.AWS.Architecture, aloft.ARM64)); err != nil {
		return export.Output{}, fmt.Errorf("make the shim: %w", err)
	}
	sizes := map[string]int64{}
	for _, digest := range release.Digests() {
		blob, err := b.store.Open(digest)
		if err != nil {
			return export.Output{}, err
		}
		sizes[digest] = blob.Size()
		_ = blob.Close()
	}
	return export.Make(o.format, export.Input{
		Release: release, Stack: aws.StackName(release), Config: append(draft.Config, o.config...), DeleteData: o.deleteData,
		Shim: export.Zip{Digest: b.shim.Digest, Size: int64(len(b.shim.Zip))}, Sizes: sizes, Render: renderStack,
	})
}

// write writes the files and copies the zips.
func (b *builder) write(dir string, out export.Output) error {
	for name, text := range out.Files {
		if err := writeNew(filepath.Join(dir, filepath.FromSlash(name)), func(w io.Writer) error {
			_, err := w.Write(text)
			return err
		}); err != nil {
			return err
		}
	}
	for name, digest := range out.Zips {
		if err := writeNew(filepath.Join(dir, filepath.FromSlash(name)), func(w io.Writer) error { return b.copyZip(w, digest) }); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) copyZip(w io.Writer, digest string) error {
	if digest == b.shim.Digest {
		_, err := w.Write(b.shim.Zip)
		return err
	}
	blob, err := b.store.Open(digest)
	if err != nil {
		return err
	}
	defer func() { _ = blob.Close() }()
	_, err = io.Copy(w, io.NewSectionReader(blob, 0, blob.Size()))
	return err
}

// writeNew puts a file in the place of one that may be there, whole or not at all.
func writeNew(name string, write func(io.Writer) error) error {
	failed := func(err error) error {
		return aloft.Errorf(aloft.Invalid, "%s cannot be written: %w", clean(name), err).WithHint("name a directory that you may write")
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return failed(err)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".aloft-")
	if err != nil {
		return failed(err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // not there any more once it was renamed
	err = write(f)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return failed(err)
	}
	return nil
}
