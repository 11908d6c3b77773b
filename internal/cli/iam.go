package cli

import (
	"cmp"
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
	Role       string         `json:"role,omitempty"`     // of the app's own, whose statements are not known
	Policies   []string       `json:"policies,omitempty"` // that are attached besides, whose statements are not known
	Statements []iamStatement `json:"statements"`
}

// iamRole is a role of the stack that no function has.
type iamRole struct {
	Name       string         `json:"name"`              // its logical id
	Service    string         `json:"service,omitempty"` // of AWS, which takes it
	Policies   []string       `json:"policies,omitempty"`
	Statements []iamStatement `json:"statements"`
}

type iamStatement struct {
	Effect      string         `json:"effect"`
	Action      []string       `json:"action,omitempty"`
	NotAction   []string       `json:"notAction,omitempty"`
	Resource    any            `json:"resource,omitempty"`
	NotResource any            `json:"notResource,omitempty"`
	Condition   map[string]any `json:"condition,omitempty"`
	Why         string         `json:"why"`
}

type iamResult struct {
	Stage     aloft.StageRef `json:"stage"`
	Functions []iamFunction  `json:"functions"`
	Roles     []iamRole      `json:"roles"`
}

func newIAM(p *program) *cobra.Command {
	var why bool
	c := newCommand(cobra.Command{
		Use:   "iam [stage] [flags]",
		Short: "Show what each function may do on AWS",
		Long: `Prints the statements of the role that each function has on AWS: what it may do, and with which resource. They come of
what aloft.yml says: the resources that a function uses, its event sources, where its events go, and the section
cloudformation, which is merged over them. The roles that services of AWS take, such as that of a schedule, come after
them. With --why each is followed by what caused it. It reads the directory of the app, deploys nothing and asks AWS
nothing, so it also answers for stages of other platforms: names that only a stack knows stand as ${NAME}.

A function that names no uses has those of all resources; uses: [] is none.

With --json: {"stage", "functions": [{"name", "lambda", "role", "policies" (ARNs of those that are attached),
"statements": [{"effect", "action", "notAction", "resource", "notResource", "condition", "why"}]}],
"roles": [{"name", "service", "policies", "statements"}]}; resources are as the template has them.

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
	result := iamOf(release, out)
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

// iamOf orders statements by the release's functions; those of other roles come by their names.
func iamOf(r aloft.Release, out stack.Output) iamResult {
	result := iamResult{Stage: r.StageRef, Functions: []iamFunction{}, Roles: []iamRole{}}
	for _, f := range r.Functions {
		names, made := out.Functions[f.Name]
		if !made {
			continue
		}
		one := iamFunction{Name: f.Name, Lambda: r.NameOf(f), Role: names.Role}
		one.Policies, one.Statements = statementsFor(out, func(g stack.Granted) bool { return g.Function == f.Name })
		result.Functions = append(result.Functions, one)
	}
	for _, g := range out.Statements {
		if g.Function != "" || slices.ContainsFunc(result.Roles, func(other iamRole) bool { return other.Name == g.Role }) {
			continue
		}
		one := iamRole{Name: g.Role, Service: g.Service}
		one.Policies, one.Statements = statementsFor(out, func(other stack.Granted) bool { return other.Role == g.Role })
		result.Roles = append(result.Roles, one)
	}
	return result
}

func statementsFor(out stack.Output, want func(stack.Granted) bool) (policies []string, statements []iamStatement) {
	statements = []iamStatement{}
	for _, g := range out.Statements {
		switch {
		case !want(g):
		case g.Policy != "":
			policies = append(policies, g.Policy)
		default:
			statements = append(statements, iamStatement{cmp.Or(g.Effect, "Allow"), g.Action, g.NotAction, g.Resource, g.NotResource, g.Condition, g.Why})
		}
	}
	return policies, statements
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
		p.printStatements(f.Policies, f.Statements, why)
	}
	for _, r := range result.Roles {
		fmt.Fprintf(p.out, "\n%s (the role of %s)\n", clean(r.Name), clean(cmp.Or(r.Service, "others")))
		p.printStatements(r.Policies, r.Statements, why)
	}
}

func (p *program) printStatements(policies []string, statements []iamStatement, why bool) {
	for _, policy := range policies {
		fmt.Fprintf(p.out, "  has the policy %s, whose statements are its owner's\n", clean(policy))
	}
	for _, s := range statements {
		actions := strings.Join(s.Action, ", ")
		if len(s.NotAction) > 0 {
			actions = "all but " + strings.Join(s.NotAction, ", ")
		}
		fmt.Fprintf(p.out, "  %s %s\n", s.Effect, clean(actions))
		for _, one := range arnTexts(s.Resource) {
			fmt.Fprintf(p.out, "    on %s\n", clean(one))
		}
		for _, one := range arnTexts(s.NotResource) {
			fmt.Fprintf(p.out, "    on all but %s\n", clean(one))
		}
		if len(s.Condition) > 0 {
			fmt.Fprintf(p.out, "    if %s\n", clean(cfn.Text(s.Condition)))
		}
		if why {
			fmt.Fprintf(p.out, "    because %s\n", clean(s.Why))
		}
	}
}

// arnTexts are a statement's resources for people.
func arnTexts(resource any) []string {
	list, ok := resource.([]any)
	if resource == nil {
		return nil
	}
	if !ok {
		return []string{cfn.Text(resource)}
	}
	var all []string
	for _, one := range list {
		all = append(all, cfn.Text(one))
	}
	return all
}
