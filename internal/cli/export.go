package cli

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/export"
	"github.com/aloft-run/aloft/internal/manifest"
)

type exportOptions struct {
	format     export.Format
	dir        string
	config     []string
	deleteData bool
	force      bool
}

// exportResult is an export as --json says it.
type exportResult struct {
	Stage      aloft.StageRef    `json:"stage"`
	Format     export.Format     `json:"format"`
	Dir        string            `json:"dir"`
	Files      []string          `json:"files"`
	Parameters []string          `json:"parameters"`
	Stacks     map[string]string `json:"stacks"`
	Warnings   []string          `json:"warnings"`
}

const exportHelp = `Writes the app in the current directory (or -C DIR), as it would be deployed to AWS, into files that deploy it
without aloft. It is built as aloft build does; nothing is asked of AWS and no credentials are needed. A README.md
says how to deploy, where values of config go, and what is lost without aloft.

The stage is --stage, else "staging"; its platform does not matter. Values of config are never written: each variable
that app.json declares or --config names becomes a parameter. The directory must be new or empty, or --force writes
over files of the same names.

With --json: {"stage", "format", "dir", "files", "parameters", "stacks", "warnings"}.

Exit status: 0 written; 1 the build failed; 2 the input was wrong, or AWS cannot have something of the app.`

func newExport(p *program) *cobra.Command {
	c := newCommand(cobra.Command{
		Use:   "export",
		Short: "Write files that deploy the app to AWS without aloft",
		Long:  exportHelp,
		Example: `  aloft export cloudformation ../shop-aws --stage production
  aloft export terraform ../shop-tf --stage production`,
		Args: subcommandOnly,
		RunE: func(*cobra.Command, []string) error {
			return aloft.Errorf(aloft.Invalid, "it is not said for what").WithHint("aloft export cloudformation DIR, or aloft export terraform DIR")
		},
	})
	c.AddCommand(newExportOf(p, export.CloudFormation, "template.json, parameters.json and the zips, for aws cloudformation deploy"),
		newExportOf(p, export.Terraform, "a configuration for Terraform's provider hashicorp/aws, and the zips"))
	return c
}

func newExportOf(p *program, format export.Format, what string) *cobra.Command {
	o := exportOptions{format: format}
	c := newCommand(cobra.Command{
		Use:   string(format) + " DIR [flags]",
		Short: "Write " + what,
		Long:  "Writes " + what + ".\n\n" + exportHelp,
		Example: fmt.Sprintf(`  aloft export %[1]s ../shop-aws --stage production
  aloft export %[1]s ../shop-aws --config STRIPE_KEY,SMTP_PASSWORD
  aloft export %[1]s ../shop-aws --force --json`, format),
		Args: between(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = args[0]
			return runExport(c.Context(), p, o)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	})
	c.Flags().StringSliceVar(&o.config, "config", nil, "names of variables that the app takes, beside those it declares")
	c.Flags().BoolVar(&o.deleteData, "delete-data", false, "have stores with data go when the rest is removed")
	c.Flags().BoolVar(&o.force, "force", false, "write into a directory that is not empty")
	return c
}

func runExport(ctx context.Context, p *program, o exportOptions) error {
	for _, name := range o.config {
		_, own, of := strings.Cut(name, "/")
		if !of {
			own = name
		}
		if manifest.CheckEnvName(own) != nil {
			return aloft.Errorf(aloft.Invalid, "--config %q is no name of a variable", name).WithHint("such as --config STRIPE_KEY,SMTP_PASSWORD: names only, never values")
		}
	}
	input, err := p.source(ctx, "")
	if err != nil {
		return err
	}
	input.Platform = aloft.OnAWS
	b, err := p.openBuilder()
	if err != nil {
		return err
	}
	defer b.Close()
	target, err := o.target()
	if err != nil {
		return err
	}
	var out export.Output
	err = p.work(ctx, func(report aloft.Reporter) error {
		if strings.HasPrefix(target+string(filepath.Separator), input.Dir+string(filepath.Separator)) {
			report.Report(aloft.Notice{Text: target + " lies in the app's own directory: the next build packages it too, unless ignore in aloft.yml names it"})
		}
		if out, err = b.export(ctx, input, o, report); err != nil {
			return err
		}
		for _, warning := range out.Warnings {
			report.Report(aloft.Warning{Text: warning})
		}
		return b.write(target, out)
	})
	if err != nil {
		return err
	}
	return p.printExport(input.Stage, o.format, target, out)
}

// target is the directory that is written to. It returns Invalid if others' files are there.
func (o exportOptions) target() (string, error) {
	target, err := filepath.Abs(o.dir)
	if err != nil || o.dir == "" {
		return "", aloft.Errorf(aloft.Invalid, "%q is no directory", o.dir).WithHint("name one that is new or empty")
	}
	entries, err := os.ReadDir(target)
	switch {
	case os.IsNotExist(err), err == nil && (len(entries) == 0 || o.force):
		return target, nil
	case err != nil:
		return "", aloft.Errorf(aloft.Invalid, "%s cannot be read: %w", clean(o.dir), err).WithHint("name a directory that is new or empty")
	}
	return "", aloft.Errorf(aloft.Invalid, "%s is not empty", clean(o.dir)).WithHint("name another directory, or add --force to write over files of the same names")
}

func (p *program) printExport(ref aloft.StageRef, format export.Format, target string, out export.Output) error {
	files := slices.Sorted(maps.Keys(out.Files))
	files = append(files, slices.Sorted(maps.Keys(out.Zips))...)
	slices.Sort(files)
	if p.flags.json {
		return p.printJSON(exportResult{
			Stage: ref, Format: format, Dir: target, Files: files, Parameters: orEmpty(out.Parameters), Stacks: out.Stacks, Warnings: orEmpty(out.Warnings),
		})
	}
	for _, name := range files {
		fmt.Fprintln(p.out, filepath.Join(target, filepath.FromSlash(name)))
	}
	return nil
}

func orEmpty(all []string) []string {
	if all == nil {
		return []string{}
	}
	return all
}
