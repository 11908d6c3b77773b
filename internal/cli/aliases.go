package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/client"
)

// aliasResult is an alias as --json says it.
type aliasResult struct {
	Alias       string          `json:"alias"`
	Function    string          `json:"function,omitempty"`
	Version     int             `json:"version"`
	Weights     map[int]float64 `json:"weights,omitempty"`
	Description string          `json:"description,omitempty"`
}

func newAliases(p *program) *cobra.Command {
	c := newCommand(cobra.Command{
		Use:   "aliases [command] [flags]",
		Short: "List and change the names of releases that functions are invoked by",
		Long: `An alias is a name for a release, or for several with shares: aloft invoke --qualifier NAME, and Qualifier of AWS's
clients, find the function there. A release that is not the current one starts when an event for it comes, beside the
current one, and ends when it had none for 15 minutes; up to 8 run so.

The alias "current" is always there and is the current release: requests and events come by it. Given weights, it lets
other releases have a share of them.

Aliases belong to the stage, as domains do: neither a deploy nor a rollback changes them. Without a command it lists
them (the same as aliases list); aliases:set and the like are the same as aliases set.

With --json: an array of {"alias", "function" (if it is of one only), "version", "weights" (shares of other releases,
by version), "description"}.

Exit status: 0 it worked; 2 the input was wrong.`,
		Example: `  aloft aliases
  aloft aliases set live v4
  aloft aliases set current --weight v5=10% --stage production`,
		Args: subcommandOnly,
		RunE: func(c *cobra.Command, _ []string) error { return runAliases(c.Context(), p, nil) },
	})
	c.AddCommand(newCommand(cobra.Command{
		Use:     "list [flags]",
		Aliases: []string{"ls"},
		Short:   "List the aliases of a stage",
		Long:    "Lists the aliases of a stage. With --json: an array, as of aloft aliases.\n\nExit status: 0 printed; 2 there is no such app or stage.",
		Example: `  aloft aliases list
  aloft aliases list --stage production --json`,
		Args: between(0, 0),
		RunE: func(c *cobra.Command, _ []string) error { return runAliases(c.Context(), p, nil) },
	}), newAliasesSet(p), newAliasesRemove(p))
	return c
}

type aliasOptions struct {
	function, description string
	weights               []string
}

func newAliasesSet(p *program) *cobra.Command {
	var o aliasOptions
	c := newCommand(cobra.Command{
		Use:   "set NAME [VERSION] [flags]",
		Short: "Give a release a name",
		Long: `Gives a release a name, or changes what the name stands for, and prints all aliases. It counts from the next event on.
--weight gives another release a share; the named release has the rest. The alias current takes no VERSION; set without
--weight it leads to the current release alone again.

Exit status: 0 set; 1 the release did not succeed; 2 there is no such release or function, or a share is wrong.`,
		Example: `  aloft aliases set live v4
  aloft aliases set live v4 --weight v5=10% --function resize
  aloft aliases set current --weight 5=0.25`,
		Args: between(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			alias, err := readAlias(args, o)
			if err != nil {
				return err
			}
			return runAliases(c.Context(), p, func(ctx context.Context, c *client.Client, ref aloft.StageRef) error {
				alias.StageRef = ref
				return putAlias(ctx, c, alias)
			})
		},
	})
	c.Flags().StringArrayVar(&o.weights, "weight", nil, "share of another release: v5=10% or v5=0.1")
	c.Flags().StringVar(&o.function, "function", "", "function that it is of (default: all of the stage)")
	c.Flags().StringVar(&o.description, "description", "", "what it is for")
	return c
}

func newAliasesRemove(p *program) *cobra.Command {
	var function string
	c := newCommand(cobra.Command{
		Use:     "remove NAME [flags]",
		Aliases: []string{"rm", "delete"},
		Short:   "Remove an alias",
		Long: `Removes an alias and prints those that are left. Its releases stay.

Exit status: 0 removed; 2 there is no such alias.`,
		Example: `  aloft aliases remove live
  aloft aliases rm live --function resize --stage production`,
		Args: between(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return runAliases(c.Context(), p, func(ctx context.Context, c *client.Client, ref aloft.StageRef) error {
				return c.DeleteAlias(ctx, ref, function, args[0])
			})
		},
	})
	c.Flags().StringVar(&function, "function", "", "function that it is of (default: all of the stage)")
	return c
}

// readAlias reads what aliases set was given.
func readAlias(args []string, o aliasOptions) (aloft.Alias, error) {
	alias := aloft.Alias{Name: args[0], Function: o.function, Description: o.description, Weights: map[int]float64{}}
	if _, isVersion := aloft.ParseVersion(alias.Name); isVersion {
		return alias, aloft.Errorf(aloft.Invalid, "%s is a release, not a name for one", alias.Name).WithHint("for example: aloft aliases set live %s", alias.Name)
	}
	if len(args) == 2 {
		version, ok := aloft.ParseVersion(args[1])
		if !ok {
			return alias, aloft.Errorf(aloft.Invalid, "%q is no release", args[1]).WithHint("such as v4; aloft releases lists them")
		}
		alias.Version = version
	} else if alias.Name != aloft.CurrentAlias {
		return alias, aloft.Errorf(aloft.Invalid, "which release is %s to name?", alias.Name).WithHint("for example: aloft aliases set %s v4", alias.Name)
	}
	for _, text := range o.weights {
		version, share, ok := readWeight(text)
		if !ok {
			return alias, aloft.Errorf(aloft.Invalid, "--weight %q is no share of a release", text).WithHint("such as v5=10%% or v5=0.1")
		}
		alias.Weights[version] = share
	}
	return alias, nil
}

// readWeight reads "v5=10%" or "5=0.1".
func readWeight(text string) (version int, share float64, ok bool) {
	name, value, ok := strings.Cut(text, "=")
	version, isVersion := aloft.ParseVersion(name)
	share, err := readShare(value)
	return version, share, ok && isVersion && err == nil
}

// putAlias creates an alias or changes the one that there is.
func putAlias(ctx context.Context, c *client.Client, alias aloft.Alias) error {
	all, err := c.Aliases(ctx, alias.StageRef)
	if err != nil {
		return err
	}
	exists := func(a aloft.Alias) bool { return a.Name == alias.Name && a.Function == alias.Function }
	if slices.ContainsFunc(all, exists) {
		_, err = c.UpdateAlias(ctx, alias)
	} else {
		_, err = c.CreateAlias(ctx, alias)
	}
	return err
}

// runAliases changes the aliases, if change is not nil, and prints them.
func runAliases(ctx context.Context, p *program, change func(context.Context, *client.Client, aloft.StageRef) error) error {
	ref, c, err := p.openServer(ctx, "the alias live of each function leads to the current release; aloft rollback and aloft up move it")
	if err != nil {
		return err
	}
	defer c.Close()
	status, err := p.status(ctx, c, ref)
	if err == nil && change != nil {
		err = change(ctx, c, ref)
	}
	if err != nil {
		return err
	}
	all, err := c.Aliases(ctx, ref)
	if err != nil {
		return err
	}
	results := aliasResults(all, status.Stage.Current)
	if p.flags.json {
		return p.printJSON(results)
	}
	rows := [][]string{{"ALIAS", "FUNCTION", "RELEASE", "SHARES", "DESCRIPTION"}}
	for _, r := range results {
		rows = append(rows, []string{r.Alias, r.Function, fmt.Sprint("v", r.Version), sharesText(r.Weights), clean(r.Description)})
	}
	return table(p.out, rows)
}

// aliasResults are the aliases with the one that always is.
func aliasResults(all []aloft.Alias, current int) []aliasResult {
	results := []aliasResult{}
	if _, stored := aloft.FindAlias(all, "", aloft.CurrentAlias); !stored && current > 0 {
		results = append(results, aliasResult{Alias: aloft.CurrentAlias, Version: current})
	}
	for _, a := range all {
		if a.Version == 0 {
			a.Version = current
		}
		results = append(results, aliasResult{Alias: a.Name, Function: a.Function, Version: a.Version, Weights: a.Weights, Description: a.Description})
	}
	return results
}

// sharesText is "v4 10%, v5 25%".
func sharesText(weights map[int]float64) string {
	var texts []string
	for _, version := range slices.Sorted(maps.Keys(weights)) {
		texts = append(texts, fmt.Sprintf("v%d %s%%", version, strconv.FormatFloat(weights[version]*100, 'g', 4, 64)))
	}
	return strings.Join(texts, ", ")
}
