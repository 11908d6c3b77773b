package cli

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aws"
	"github.com/aloft-run/aloft/internal/manifest"
	"github.com/aloft-run/aloft/internal/s3"
)

type importOptions struct {
	stack, dir, stage string
	force, beside     bool
}

// importResult is an import as --json says it. Of a stack that aloft did not make there is no release.
type importResult struct {
	Stack    string          `json:"stack"`
	Stage    *aloft.StageRef `json:"stage,omitempty"`
	Release  int             `json:"release,omitempty"`
	Config   []string        `json:"config"`
	Files    []string        `json:"files"`
	Imported []string        `json:"imported"`
	Left     []string        `json:"left"`
	InPlace  bool            `json:"inPlace,omitempty"` // the next deploy of the app is an update of the stack
}

const importHelp = `Takes up a CloudFormation stack that is there.

A stack that aloft made, whose records in the account's bucket were lost: they are made again from the stack. The
release that serves has the number that it had, its config is sealed anew, its package comes from the bucket or from
the function; aloft up, rollback, config and logs go on from there. Earlier releases are gone. Nothing of the stack
changes.

A stack that somebody deployed of what aloft export cloudformation wrote: likewise, as v1. If its name is not
APP-STAGE, aloft.yml has to say it: aws: {stack: NAME}.

A stack that something else made (SAM, Serverless, CDK, by hand): with --dir, an app is written with the code of its
functions and an aloft.yml that has the next aloft up update that very stack: functions, routes and events become
the app's, and all else, every store above all, stays in its section cloudformation as it is. Values of variables
become config of --stage, sealed. What stays and what goes is listed; nothing is changed before aloft up has asked.
With --beside, or if that cannot be (it says why: several packages, a secret that aloft.yml would hold), there is an
app for each package, to be deployed beside the stack, which stays as it is.

With --json: {"stack", "stage", "release", "config", "files", "imported", "left", "inPlace"}; config has names only;
in place imported is what stays, left what goes.

Exit status: 0 imported; 1 AWS failed, or aloft has the stage already; 2 the input was wrong, or there
is no such stack.`

func newImport(p *program) *cobra.Command {
	c := newCommand(cobra.Command{
		Use:   "import",
		Short: "Take up what others deployed to AWS",
		Long:  "Takes up what is in an account of AWS already.\n\nExit status: 2 if there is no such command.",
		Example: `  aloft import stack shop-production --region eu-west-1
  aloft import stack my-sam-app --dir my-app`,
		Args: subcommandOnly,
		RunE: func(*cobra.Command, []string) error {
			return aloft.Errorf(aloft.Invalid, "it is not said what").WithHint("aloft import stack NAME")
		},
	})
	c.AddCommand(newImportStack(p))
	return c
}

func newImportStack(p *program) *cobra.Command {
	var o importOptions
	c := newCommand(cobra.Command{
		Use:   "stack NAME [flags]",
		Short: "Take up a CloudFormation stack",
		Long:  importHelp,
		Example: `  aloft import stack shop-production --region eu-west-1
  aloft import stack my-sam-app --dir my-app --stage production
  aloft import stack my-sam-app --dir my-app --beside --profile work
  aloft import stack shop-production --json`,
		Args: between(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			o.stack = args[0]
			return runImportStack(c.Context(), p, o)
		},
	})
	c.Flags().StringVar(&o.dir, "dir", "", "where the apps of a stack are written that aloft did not make")
	c.Flags().BoolVar(&o.beside, "beside", false, "leave such a stack as it is: the apps are deployed beside it")
	c.Flags().BoolVar(&o.force, "force", false, "write into a directory that is not empty")
	return c
}

// stackName is the form of names of stacks.
var stackName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,127}$`)

func runImportStack(ctx context.Context, p *program, o importOptions) error {
	if !stackName.MatchString(o.stack) {
		return aloft.Errorf(aloft.Invalid, "%q is no name of a stack", o.stack).WithHint("aws cloudformation list-stacks lists them")
	}
	ref, err := p.stage("")
	if err != nil {
		return err
	}
	at, err := p.importSite(ref)
	if err != nil {
		return err
	}
	o.stage = ref.Stage
	b, err := p.openAWS(ctx, at)
	if err != nil {
		return err
	}
	defer b.Close()
	var result importResult
	err = p.work(ctx, func(report aloft.Reporter) error {
		result, err = b.importStack(ctx, o, report)
		return err
	})
	if err != nil {
		return err
	}
	return p.printImport(result)
}

// importSite is where a stack is: on AWS whatever the stage is that is meant, and in any region, as it may be somebody else's.
func (p *program) importSite(ref aloft.StageRef) (site, error) {
	if p.flags.platform == string(aloft.OnLocal) {
		return site{}, aloft.Errorf(aloft.Invalid, "stacks are on AWS").WithHint("leave --platform local out")
	}
	flags := p.flags
	defer func() { p.flags = flags }()
	p.flags.platform, p.flags.region = string(aloft.OnAWS), ""
	at, err := p.site(ref)
	if flags.region != "" {
		at.region = flags.region
	}
	return at, err
}

// importStack takes up a stack.
func (b *awsBackend) importStack(ctx context.Context, o importOptions, report aloft.Reporter) (importResult, error) {
	found, err := b.platform.Recover(ctx, b.region, o.stack)
	if err != nil {
		return importResult{}, err
	}
	if !found.Ours {
		return b.importForeign(ctx, o, report)
	}
	if err := b.namedAs(found.Release); err != nil {
		return importResult{}, err
	}
	if err := b.prepare(ctx, report); err != nil {
		return importResult{}, err
	}
	store, ok := b.apps.AppService.(*s3.Store)
	if !ok {
		return importResult{}, aloft.Errorf(aloft.Internal, "the account has no records")
	}
	release, err := b.Adopt(ctx, found.Release, found.Config, store.Adopt, report)
	if err != nil {
		return importResult{}, err
	}
	if found.ByHand {
		if err := b.platform.Note(ctx, release); err != nil {
			return importResult{}, err
		}
	}
	report.Report(aloft.Notice{Text: fmt.Sprintf("%s is at v%d, as its stack says", release.StageRef, release.Version)})
	return importResult{
		Stack: o.stack, Stage: &release.StageRef, Release: release.Version, Config: slices.Sorted(maps.Keys(found.Config)),
		Files: []string{}, Imported: []string{}, Left: []string{},
	}, b.bring(ctx, found, report)
}

// namedAs returns Invalid if a release is in a stack of a name of its own, and the project does not say it: the next deploy would be
// to another stack.
func (b *awsBackend) namedAs(release aloft.Release) error {
	name := aws.StackName(release)
	if said := b.placed(release.StageRef); aws.StackName(said) == name {
		return nil
	}
	return aloft.Errorf(aloft.Invalid, "the stack of %s is called %s, and the project here does not say so; nothing was changed", release.StageRef, name).
		WithHint("in the directory of %s, write below stages.%s of %s: aws: {stack: %s}; then type the same command again", release.App, release.Stage, manifest.AloftFile, name)
}

// bring puts the package of a release into the bucket, if it is not there.
func (b *awsBackend) bring(ctx context.Context, found aws.Recovered, report aloft.Reporter) error {
	digest, artifacts := found.Release.Artifact.Digest, b.bucket.Artifacts(b.store)
	if has, err := artifacts.Has(ctx, digest); has || err != nil {
		return err
	}
	if !b.store.Has(digest) {
		code, err := b.platform.Code(ctx, b.region, found.Release)
		if err != nil {
			return err
		}
		defer func() { _ = code.Close() }()
		if err := b.store.Import(ctx, digest, code); err != nil {
			return err
		}
	}
	return artifacts.Upload(ctx, digest, report)
}

func (p *program) printImport(r importResult) error {
	if p.flags.json {
		return p.printJSON(r)
	}
	if r.Stage != nil {
		fmt.Fprintf(p.out, "%s v%d\n", r.Stage, r.Release)
	}
	for _, name := range r.Files {
		fmt.Fprintln(p.out, filepath.Clean(name))
	}
	titles := [2]string{"imported:", "not imported:"}
	if r.InPlace {
		titles = [2]string{"stays in the stack:", "goes with the next aloft up, which asks:"}
	}
	for _, part := range []struct {
		title string
		lines []string
	}{{titles[0], r.Imported}, {titles[1], r.Left}} {
		if len(part.lines) == 0 {
			continue
		}
		fmt.Fprintln(p.err, part.title)
		for _, line := range part.lines {
			fmt.Fprintln(p.err, "  "+clean(line))
		}
	}
	return nil
}
