package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/deploy"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/stack"
	"github.com/aloft-run/aloft/internal/standard"
)

// iamFunction is what a function may do, as --json says it.
type iamFunction struct {
	Name       string         `json:"name"`
	Lambda     string         `json:"lambda"`
	Role       string         `json:"role,omitempty"` // of the app's own, whose statements are not known
	Statements []iamStatement `json:"statements"`
}

type iamStatement struct {
	Effect    string         `json:"effect"`
	Action    []string       `json:"action"`
	Resource  any            `json:"resource"`
	Condition map[string]any `json:"condition,omitempty"`
	Why       string         `json:"why"`
}

type iamResult struct {
	Stage     aloft.StageRef `json:"stage"`
	Functions []iamFunction  `json:"functions"`
}

func newIAM(p *program) *cobra.Command {
	var why bool
	c := newCommand(cobra.Command{
		Use:   "iam [stage] [flags]",
		Short: "Show what each function may do on AWS",
		Long: `Prints the statements of the role that each function has on AWS: what it may do, and with which resource. They come of
what aloft.yml says: the resources that a function uses, its event sources, where its events go. With --why each is
followed by what caused it. It reads the directory of the app, deploys nothing and asks AWS nothing, so it also answers
for stages of other platforms: names that only a stack knows stand as ${NAME}.

A function that names no uses has those of all resources; uses: [] is none.

With --json: {"stage", "functions": [{"name", "lambda", "role", "statements": [{"effect", "action", "resource",
"condition", "why"}]}]}; resources are as the template has them.

Exit status: 0 printed; 2 the input was wrong, or AWS cannot have it.`,
		Example: `  aloft iam
  aloft iam production --why
  aloft iam production --json`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error { return runIAM(c.Context(), p, first(args), why) },
	})
	c.Flags().BoolVar(&why, "why", false, "print what caused each statement")
	return c
}

func runIAM(ctx context.Context, p *program, stage string, why bool) error {
	input, err := p.source(ctx, stage)
	if err != nil {
		return err
	}
	var release aloft.Release
	var out stack.Output
	err = p.work(ctx, func(report aloft.Reporter) error {
		sources := standard.EventSources(standard.Sourced{})
		release, err = deploy.Outliner{Buildpacks: standard.Buildpacks(), Sources: sources}.Outline(ctx, input, report)
		if err == nil {
			out, err = renderOutline(&release, sources)
		}
		for _, text := range out.Warnings {
			report.Report(aloft.Warning{Text: text})
		}
		return err
	})
	if err != nil {
		return err
	}
	result := iamOf(release, out.Statements)
	if p.flags.json {
		return p.printJSON(result)
	}
	p.printIAM(result, why)
	return nil
}

// renderOutline makes the stack of a release that was not built. What runs in it makes no difference to roles: workers, which
// AWS does not have, are left out, and a web server is as good as another.
func renderOutline(r *aloft.Release, sources eventsource.Set) (stack.Output, error) {
	r.Functions = slices.DeleteFunc(r.Functions, func(f aloft.Function) bool { return f.Kind == aloft.Worker })
	shown := r.Clone()
	for i, f := range shown.Functions {
		if f.Kind == aloft.Web {
			shown.Functions[i].Command, shown.Functions[i].Runtime = []string{"./server"}, ""
		}
	}
	layers := map[string]stack.Object{} // what they hold makes no difference either
	for _, digest := range shown.Digests() {
		layers[digest] = stack.Object{Bucket: "layers", Key: digest}
	}
	return stack.Render(stack.Input{
		Release: shown, Region: shown.AWS.Regions[0], Layers: layers, Kinds: standard.CloudKinds(),
		Sources: func(uri string) (eventsource.Source, error) { return sources.Parse(r.StageRef, uri) },
	})
}

// iamOf orders statements by the release's functions.
func iamOf(r aloft.Release, statements []stack.Granted) iamResult {
	result := iamResult{Stage: r.StageRef, Functions: []iamFunction{}}
	for _, f := range r.Functions {
		one := iamFunction{Name: f.Name, Lambda: r.NameOf(f), Statements: []iamStatement{}}
		if f.Lambda != nil {
			one.Role = f.Lambda.Role
		}
		for _, s := range statements {
			if s.Function != f.Name {
				continue
			}
			effect := s.Effect
			if effect == "" {
				effect = "Allow"
			}
			one.Statements = append(one.Statements, iamStatement{effect, s.Action, s.Resource, s.Condition, s.Why})
		}
		if len(one.Statements) > 0 || one.Role != "" {
			result.Functions = append(result.Functions, one)
		}
	}
	return result
}

func (p *program) printIAM(result iamResult, why bool) {
	for i, f := range result.Functions {
		if i > 0 {
			fmt.Fprintln(p.out)
		}
		fmt.Fprintf(p.out, "%s (%s)\n", clean(f.Name), clean(f.Lambda))
		if f.Role != "" {
			fmt.Fprintf(p.out, "  has the role %s, whose statements are its owner's\n", clean(f.Role))
		}
		for _, s := range f.Statements {
			fmt.Fprintf(p.out, "  %s %s\n", s.Effect, clean(strings.Join(s.Action, ", ")))
			for _, one := range arnTexts(s.Resource) {
				fmt.Fprintf(p.out, "    on %s\n", clean(one))
			}
			if len(s.Condition) > 0 {
				fmt.Fprintf(p.out, "    if %s\n", clean(cfn.Text(s.Condition)))
			}
			if why {
				fmt.Fprintf(p.out, "    because %s\n", clean(s.Why))
			}
		}
	}
}

// arnTexts are a statement's resources for people.
func arnTexts(resource any) []string {
	list, ok := resource.([]any)
	if !ok {
		return []string{cfn.Text(resource)}
	}
	var all []string
	for _, one := range list {
		all = append(all, cfn.Text(one))
	}
	return all
}
