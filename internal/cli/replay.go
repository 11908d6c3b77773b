package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/client"
	"github.com/aloft-run/aloft/internal/jsondiff"
)

type replayOptions struct{ release, against string }

// replayResult is what --json says.
type replayResult struct {
	ID          int                   `json:"id"`
	Function    string                `json:"function"`
	Equal       bool                  `json:"equal"`
	Before      replayed              `json:"before"`
	After       replayed              `json:"after"`
	Differences []jsondiff.Difference `json:"differences"`
}

// replayed is a reply that is compared.
type replayed struct {
	Release       int             `json:"release"`
	Recorded      bool            `json:"recorded,omitempty"` // not answered now
	FunctionError string          `json:"functionError,omitempty"`
	Reply         json.RawMessage `json:"reply"`
}

func newReplay(p *program) *cobra.Command {
	var o replayOptions
	c := newCommand(cobra.Command{
		Use:   "replay ID [flags]",
		Short: "Invoke with a recorded event again and compare the replies",
		Long: `Invokes a function with an event that aloft record kept, and shows in what its reply differs from the one that was
recorded; with --against, in what the reply of one release differs from that of another. Replies are compared as JSON,
JSON in their bodies too. A release that is not the current one starts beside it. What was masked in the event stays
masked, and the function gets it so.

With --json: {"id", "function", "equal", "before", "after" (each {"release", "recorded", "functionError", "reply"}),
"differences": [{"path", "before", "after"}]}.

Exit status: 0 the replies are equal; 1 they differ; 2 there is no such recording, release or alias.`,
		Example: `  aloft replay 12
  aloft replay 12 --release v4 --against v5
  aloft replay 12 --release live --json`,
		Args: between(1, 1),
		RunE: func(c *cobra.Command, args []string) error { return runReplay(c.Context(), p, args[0], o) },
	})
	c.Flags().StringVar(&o.release, "release", "", "release (v4) or alias that answers (default: the current release)")
	c.Flags().StringVar(&o.against, "against", "", "release or alias whose reply is compared (default: the recorded reply)")
	return c
}

func runReplay(ctx context.Context, p *program, text string, o replayOptions) error {
	id, ok := wholeNumber(text)
	if !ok || id < 1 {
		return aloft.Errorf(aloft.Invalid, "%q is no recording", text).WithHint("aloft records lists them by their numbers")
	}
	for _, qualifier := range []string{o.release, o.against} {
		if err := checkQualifier(qualifier); err != nil {
			return err
		}
	}
	ref, c, err := p.openServer(ctx, noRecorder)
	if err != nil {
		return err
	}
	defer c.Close()
	r, err := c.Recording(ctx, ref, id)
	if err != nil {
		return p.explain(ctx, c, ref, err)
	}
	result, err := replay(ctx, c, ref, r, o)
	if err != nil {
		return p.explain(ctx, c, ref, err)
	}
	if err := p.printReplay(result, r.Masked); err != nil || result.Equal {
		return err
	}
	return &exitError{status: 1}
}

// replay has the releases answer and compares. The reply of --release is the one before that of --against, and the one
// after what was recorded.
func replay(ctx context.Context, c *client.Client, ref aloft.StageRef, r aloft.Recording, o replayOptions) (replayResult, error) {
	answer := func(qualifier string) (replayed, error) {
		got, err := c.Invoke(ctx, aloft.InvokeInput{Stage: ref, Function: r.Function, Payload: r.Event, Qualifier: qualifier})
		return replayed{Release: got.Release, FunctionError: got.FunctionError, Reply: jsonOf(got.Payload)}, err
	}
	result := replayResult{ID: r.ID, Function: r.Function, Differences: []jsondiff.Difference{}}
	now, err := answer(o.release)
	if err != nil {
		return result, err
	}
	result.Before, result.After = replayed{Release: r.Release, Recorded: true, FunctionError: r.FunctionError, Reply: jsonOf(r.Reply)}, now
	if o.against != "" {
		result.Before = now
		if result.After, err = answer(o.against); err != nil {
			return result, err
		}
	}
	before, after := result.Before, result.After
	if before.FunctionError != after.FunctionError {
		result.Differences = append(result.Differences, jsondiff.Difference{Path: "functionError", Before: jsonText(before.FunctionError), After: jsonText(after.FunctionError)})
	}
	result.Differences = append(result.Differences, jsondiff.Compare(before.Reply, after.Reply)...)
	result.Equal = len(result.Differences) == 0
	return result, nil
}

// jsonOf is a reply as JSON: what is none becomes a string, and what is missing null.
func jsonOf(reply []byte) json.RawMessage {
	switch {
	case len(reply) == 0:
		return json.RawMessage("null")
	case json.Valid(reply):
		return reply
	}
	return jsonText(string(reply))
}

func jsonText(text string) json.RawMessage {
	encoded, err := json.Marshal(text)
	if err != nil { // text always can be written
		return json.RawMessage(`""`)
	}
	return encoded
}

func (p *program) printReplay(r replayResult, masked int) error {
	if p.flags.json {
		return p.printJSON(r)
	}
	paint := p.paint(p.out)
	if masked > 0 && !p.flags.quiet {
		fmt.Fprintf(p.err, "%d values of the recording are masked: they may make a difference\n", masked)
	}
	if r.Equal {
		fmt.Fprintf(p.out, "%s and %s of %s reply the same\n", r.Before.name(), r.After.name(), r.Function)
		return nil
	}
	fmt.Fprintf(p.out, "--- %s of %s\n+++ %s\n", r.Before.name(), r.Function, r.After.name())
	for _, d := range r.Differences {
		fmt.Fprintln(p.out, clean(d.Path)+":")
		if d.Before != nil {
			fmt.Fprintln(p.out, paint.red("- "+clean(string(d.Before))))
		}
		if d.After != nil {
			fmt.Fprintln(p.out, paint.green("+ "+clean(string(d.After))))
		}
	}
	return nil
}

func (r replayed) name() string {
	if r.Recorded {
		return fmt.Sprintf("v%d as recorded", r.Release)
	}
	return fmt.Sprintf("v%d", r.Release)
}
