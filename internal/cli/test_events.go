package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/testevent"
)

// testEventResult is an event as --json lists it.
type testEventResult struct {
	Name     string            `json:"name"`
	Function string            `json:"function,omitempty"` // of one that was saved
	About    string            `json:"about,omitempty"`
	Settings map[string]string `json:"settings,omitempty"`
	Event    json.RawMessage   `json:"event,omitempty"`
}

func newTestEvents(p *program) *cobra.Command {
	c := newCommand(cobra.Command{
		Use:   "test-events [command] [flags]",
		Short: "Sample events of AWS's services, and events of your own, to invoke functions with",
		Long: `Lists the kinds of sample events, in the exact shapes in which AWS's services send them, and the events that were saved
for the functions of the stage, if there is one. aloft invoke --event NAME uses either. Without a command it lists (the
same as test-events list); test-events:show and the like are the same as test-events show.

With --json: an array of {"name", "function" (of one that was saved), "about", "settings" (of a sample: what --set takes
by a short name, and what it is otherwise), "event" (of one that was saved)}.

Exit status: 0 it worked; 2 the input was wrong.`,
		Example: `  aloft test-events
  aloft test-events show s3 --set bucket=uploads --set key=in/a.jpg
  aloft test-events save create large --payload @large.json`,
		Args: subcommandOnly,
		RunE: func(c *cobra.Command, _ []string) error { return runTestEvents(c.Context(), p) },
	})
	c.AddCommand(newCommand(cobra.Command{
		Use:   "list [flags]",
		Short: "List sample events and saved ones",
		Long:  "Lists the kinds of sample events, and the saved events of a stage. With --json: an array, as of aloft test-events.\n\nExit status: 0 printed.",
		Example: `  aloft test-events list
  aloft test-events list --stage production --json`,
		Args: between(0, 0),
		RunE: func(c *cobra.Command, _ []string) error { return runTestEvents(c.Context(), p) },
	}), newTestEventsShow(p), newTestEventsSave(p), newTestEventsRemove(p))
	return c
}

const setHelp = "setting of the sample event: key=a.jpg, or a path: Records.0.awsRegion=eu-west-1"

func newTestEventsShow(p *program) *cobra.Command {
	var set []string
	c := newCommand(cobra.Command{
		Use:   "show KIND [flags]",
		Short: "Print a sample event",
		Long:  "Prints a sample event of a kind, as JSON.\n\nExit status: 0 printed; 2 there is no such kind, or a setting is wrong.",
		Example: `  aloft test-events show sqs
  aloft test-events show apigw-v2 --set method=POST --set path=/items --set 'body={"a":1}'`,
		Args: between(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			event, err := sample(args[0], set)
			if err != nil {
				return err
			}
			return p.printJSON(json.RawMessage(event))
		},
	})
	c.Flags().StringArrayVar(&set, "set", nil, setHelp)
	return c
}

func newTestEventsSave(p *program) *cobra.Command {
	var o eventOptions
	c := newCommand(cobra.Command{
		Use:   "save FUNCTION NAME [flags]",
		Short: "Save an event for a function under a name",
		Long: `Saves an event for a function under a name, in place of an earlier one. It belongs to the stage and goes with it.

Exit status: 0 saved; 2 there is no such function, or the event is no JSON.`,
		Example: `  aloft test-events save create large --payload @large.json
  aloft test-events save create photo --event s3 --set key=in/photo.jpg`,
		Args: between(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			return runTestEventsSave(c.Context(), p, args[0], args[1], o)
		},
	})
	o.flags(c)
	return c
}

func newTestEventsRemove(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:     "remove FUNCTION NAME [flags]",
		Aliases: []string{"rm", "delete"},
		Short:   "Remove a saved event",
		Long:    "Removes a saved event of a function.\n\nExit status: 0 removed; 2 there is none.",
		Example: `  aloft test-events remove create large
  aloft test-events rm create large --stage production`,
		Args: between(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			ctx := c.Context()
			ref, server, err := p.openServer(ctx, noSavedEvents)
			if err != nil {
				return err
			}
			defer server.Close()
			return server.DeleteTestEvent(ctx, ref, args[0], args[1])
		},
	})
}

// functionRef names a function.
type functionRef struct {
	stage aloft.StageRef
	name  string
}

// eventOptions say which event is meant.
type eventOptions struct {
	payload, event string
	set            []string
}

func (o *eventOptions) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.payload, "payload", "{}", "the event: JSON, @FILE, or - for standard input")
	c.Flags().StringVar(&o.event, "event", "", "in place of --payload: a sample event ("+strings.Join(testevent.Names(), ", ")+") or a saved one")
	c.Flags().StringArrayVar(&o.set, "set", nil, setHelp)
	c.MarkFlagsMutuallyExclusive("payload", "event")
}

// read makes the event; one that was saved comes from the server.
func (o eventOptions) read(ctx context.Context, p *program, c savedEvents, of functionRef) ([]byte, error) {
	switch {
	case o.event == "" && len(o.set) > 0:
		return nil, aloft.Errorf(aloft.Invalid, "--set is for sample events").WithHint("say which: --event s3 --set key=a.jpg")
	case o.event == "":
		return p.readEvent(o.payload)
	case slices.Contains(testevent.Names(), o.event):
		return sample(o.event, o.set)
	}
	saved, err := c.TestEvents(ctx, of.stage)
	if err != nil && aloft.ErrorCode(err) != aloft.NotFound {
		return nil, err
	}
	at := slices.IndexFunc(saved, func(e aloft.TestEvent) bool { return e.Function == of.name && e.Name == o.event })
	if at < 0 {
		return nil, aloft.Errorf(aloft.NotFound, "there is no sample event %q, and none of the name was saved for %s", o.event, of.name).
			WithHint("aloft test-events lists them; samples are %s", strings.Join(testevent.Names(), ", "))
	}
	return saved[at].Event, nil
}

// sample makes a sample event with settings of the form NAME=VALUE.
func sample(kind string, set []string) ([]byte, error) {
	settings := map[string]string{}
	for _, text := range set {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, aloft.Errorf(aloft.Invalid, "--set %q is not of the form NAME=VALUE", text).WithHint("for example: --event s3 --set key=a.jpg")
		}
		settings[name] = value
	}
	return testevent.Make(kind, settings, time.Now())
}

func runTestEventsSave(ctx context.Context, p *program, function, name string, o eventOptions) error {
	if slices.Contains(testevent.Names(), name) {
		return aloft.Errorf(aloft.Invalid, "%s is the name of a sample event", name).WithHint("choose another name")
	}
	ref, c, err := p.openServer(ctx, noSavedEvents)
	if err != nil {
		return err
	}
	defer c.Close()
	event, err := o.read(ctx, p, c, functionRef{ref, function})
	if err != nil {
		return err
	}
	if err := c.SaveTestEvent(ctx, ref, aloft.TestEvent{Function: function, Name: name, Event: event}); err != nil {
		return p.explain(ctx, c, ref, err)
	}
	if !p.flags.quiet && !p.flags.json {
		fmt.Fprintf(p.err, "saved; use it with: aloft invoke %s --event %s\n", clean(function), clean(name))
	}
	return nil
}

func runTestEvents(ctx context.Context, p *program) error {
	ref, c, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	saved, err := c.TestEvents(ctx, ref)
	if err != nil && aloft.ErrorCode(err) != aloft.NotFound { // samples are there before a deploy too
		return err
	}
	results := []testEventResult{}
	rows := [][]string{{"EVENT", "FUNCTION", "WHAT", "SETTINGS"}}
	for _, k := range testevent.Kinds() {
		results = append(results, testEventResult{Name: k.Name, About: k.About, Settings: k.Settings})
		rows = append(rows, []string{k.Name, "", k.About, strings.Join(slices.Sorted(maps.Keys(k.Settings)), ", ")})
	}
	for _, e := range saved {
		results = append(results, testEventResult{Name: e.Name, Function: e.Function, Event: e.Event})
		rows = append(rows, []string{e.Name, e.Function, shortened(string(e.Event)), ""})
	}
	if p.flags.json {
		return p.printJSON(results)
	}
	return table(p.out, rows)
}
