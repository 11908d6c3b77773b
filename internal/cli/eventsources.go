package cli

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

const sourceForms = `A source is KIND:NAME with options, and each change is a release: a rollback undoes it, and later deploys keep it.

  schedule:rate(5 minutes)       also schedule:cron(0 9 ? * MON-FRI *)?timezone=Europe/Berlin
  queue:jobs?batch=10            a queue of the app; options set how many messages at once, and how
  topic:orders                   a topic of the app
  bucket:uploads?prefix=in/      a bucket of the app
  stream:clicks                  a stream of the app

The ARN of a resource of this server stands for KIND:NAME.`

func newEventSources(p *program) *cobra.Command {
	c := newCommand(cobra.Command{
		Use:   "event-sources [FUNCTION] [command] [flags]",
		Short: "List and change what invokes a function besides requests",
		Long: `Lists what invokes a function (without a name: each function of the stage) besides requests: the source, whether
aloft.yml, an operator or a mapping of Lambda's API says so, its last event, when the next is due, and what went
wrong. event-sources:add and the like are the same as event-sources add.

` + sourceForms + `

With --json: an array of {"function", "source", "operator", "mapping", "running", "last", "next", "events", "failed",
"error"}; events and failed count since the server started the source.

Exit status: 0 printed; 2 there is no such app, stage or function.`,
		Example: `  aloft event-sources
  aloft event-sources mailer --stage production
  aloft event-sources add mailer 'schedule:rate(5 minutes)'`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error { return runEventSources(c.Context(), p, first(args)) },
	})
	c.AddCommand(newEventSourcesAdd(p), newEventSourcesRemove(p), newEventSourcesClear(p))
	return c
}

func newEventSourcesAdd(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:   "add FUNCTION SOURCE... [flags]",
		Short: "Add event sources to a function",
		Long: `Adds event sources to a handler or web function, in one release. One that it has already is left alone.

` + sourceForms + `

` + lossHelp + `

Exit status: 0 released, or nothing changed; 1 the app did not start; 2 there is no such function, or one is no source.`,
		Example: `  aloft event-sources add mailer 'schedule:rate(5 minutes)'
  aloft event-sources:add mailer 'queue:jobs?batch=10' --stage production`,
		Args:              between(2, -1),
		ValidArgsFunction: completeSources,
		RunE: func(c *cobra.Command, args []string) error {
			return p.changeSources(c.Context(), args[0], aloft.Sources{Add: args[1:]})
		},
	})
}

func newEventSourcesRemove(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:     "remove FUNCTION SOURCE... [flags]",
		Aliases: []string{"rm", "delete"},
		Short:   "Remove event sources from a function",
		Long: `Removes event sources from a function, in one release, those too that aloft.yml names: later deploys leave them
out until they are added again. The options may be left out if only one source has the name.

` + lossHelp + `

Exit status: 0 released; 1 the app did not start; 2 the function does not have one of them, and none was removed.`,
		Example: `  aloft event-sources remove mailer queue:jobs
  aloft event-sources:remove mailer 'schedule:rate(5 minutes)' --stage production`,
		Args: between(2, -1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.changeSources(c.Context(), args[0], aloft.Sources{Remove: args[1:]})
		},
	})
}

func newEventSourcesClear(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:   "clear FUNCTION [flags]",
		Short: "Remove all event sources from a function",
		Long: `Removes all event sources from a function, in one release, those too that aloft.yml names now.

` + lossHelp + `

Exit status: 0 released, or nothing changed; 1 the app did not start; 2 there is no such function.`,
		Example: `  aloft event-sources clear mailer
  aloft event-sources:clear mailer --stage production`,
		Args: between(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.changeSources(c.Context(), args[0], aloft.Sources{Clear: true})
		},
	})
}

// completeSources completes the kinds of sources after the function.
func completeSources(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	kinds := []string{"schedule:rate(", "schedule:cron(", "queue:", "topic:", "bucket:", "stream:"}
	return kinds, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

func (p *program) changeSources(ctx context.Context, function string, change aloft.Sources) error {
	return p.tune(ctx, aloft.TuneInput{Set: map[string]aloft.Tuning{function: {Sources: &change}}})
}

func runEventSources(ctx context.Context, p *program, function string) error {
	ref, err := p.stage("")
	if err != nil {
		return err
	}
	release, err := p.currentRelease(ctx, ref)
	if err != nil {
		return err
	}
	if err := hasFunction(release, ref, function); err != nil {
		return err
	}
	c, err := p.connect(ctx, ref)
	if err != nil {
		return err
	}
	defer c.Close()
	all, err := c.EventSources(ctx, ref)
	if err != nil {
		return err
	}
	results := []aloft.EventSource{}
	rows := [][]string{{"FUNCTION", "SOURCE", "FROM", "STATE", "LAST EVENT", "NEXT", "EVENTS", "FAILED", "ERROR"}}
	for _, e := range all {
		if function == "" || e.Function == function {
			results = append(results, e)
			rows = append(rows, sourceRow(e))
		}
	}
	if p.flags.json {
		return p.printJSON(results)
	}
	return table(p.out, rows)
}

// hasFunction refuses the name of a function that a release does not have; "" is none.
func hasFunction(release aloft.Release, ref aloft.StageRef, name string) error {
	var names []string
	for _, f := range release.Functions {
		if f.Name == name {
			return nil
		}
		names = append(names, f.Name)
	}
	if name == "" {
		return nil
	}
	return aloft.Errorf(aloft.NotFound, "%s has no function %q", ref, name).WithHint("its functions are %s", strings.Join(names, ", "))
}

func sourceRow(e aloft.EventSource) []string {
	from, state := "aloft.yml", "stopped"
	switch {
	case e.Operator:
		from = "operator"
	case e.Mapping != "":
		from = "mapping" // of Lambda's API, which changes it
	}
	switch {
	case e.Running && e.Error != "":
		state = "failing"
	case e.Running:
		state = "running"
	}
	shown := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Local().Format("2006-01-02 15:04:05")
	}
	return []string{
		e.Function, e.Source, from, state, shown(e.Last), shown(e.Next), strconv.FormatInt(e.Events, 10), strconv.FormatInt(e.Failed, 10), e.Error,
	}
}
