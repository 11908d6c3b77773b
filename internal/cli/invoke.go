package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

// maxEvent is how long an event may be, in bytes.
const maxEvent = 6 << 20

type invokeOptions struct {
	eventOptions

	clientContext, qualifier string
	tail, async              bool
}

// invocation is an invocation as --json says it.
type invocation struct {
	RequestID     string          `json:"requestId"`
	Release       int             `json:"release"`
	FunctionError string          `json:"functionError,omitempty"`
	Payload       json.RawMessage `json:"payload"`
	Seconds       float64         `json:"seconds"`
	Log           string          `json:"log,omitempty"`
}

func newInvoke(p *program) *cobra.Command {
	var o invokeOptions
	c := newCommand(cobra.Command{
		Use:   "invoke FUNCTION [flags]",
		Short: "Have a handler function work on an event",
		Long: `Invokes a handler function with an event and prints its answer. The event is JSON: given as it is, as @FILE, or - for
standard input. --event makes one as a service of AWS sends it, or takes one that was saved (aloft test-events lists
both); --set changes what is in it.

What the function prints is in aloft logs, between lines that begin with START, END and REPORT; --tail prints the last
4 KB of it too.

--qualifier names another release than the current one, by its number or by an alias (aloft aliases). Such a release
starts beside the current one with the first event for it, and ends when it had none for 15 minutes.

A handler function is a Procfile line that names a function in a file, such as "create: thumbnail.handler"
(handler in thumbnail.py, thumbnail.mjs, thumbnail.js or thumbnail.rb), or a function with handler or runtime in
aloft.yml.

With --async it prints the id of the request once the event is on the disk, and does not wait: the function gets it as
soon as it takes one, and again after it failed. An event that is given up is in aloft dead-letters.

With --json: {"requestId", "release", "functionError" (the error's type, if it failed), "payload", "seconds", "log"
(with --tail)}; with --async {"requestId"}.

Exit status: 0 it answered, or has the event for later; 1 it failed, and its error is printed; 2 there is no such
function, release or alias, or the event is no JSON.`,
		Example: `  aloft invoke create
  aloft invoke create --payload '{"bucket": "uploads"}' --stage production
  aloft invoke create --payload @event.json --tail
  aloft invoke create --event s3 --set bucket=uploads --set key=in/photo.jpg
  aloft invoke create --payload @event.json --async
  aloft invoke create --qualifier v3
  jq .event sample.json | aloft invoke create --payload -`,
		Args: between(1, 1),
		RunE: func(c *cobra.Command, args []string) error { return runInvoke(c.Context(), p, args[0], o) },
	})
	o.eventOptions.flags(c)
	c.Flags().StringVar(&o.qualifier, "qualifier", "", "release (v3) or alias (default: the current release)")
	c.Flags().BoolVar(&o.tail, "tail", false, "print the end of what it logs")
	c.Flags().StringVar(&o.clientContext, "client-context", "", "JSON that the function finds in its context")
	c.Flags().BoolVar(&o.async, "async", false, "do not wait for the answer")
	return c
}

func runInvoke(ctx context.Context, p *program, function string, o invokeOptions) error {
	if o.clientContext != "" && !json.Valid([]byte(o.clientContext)) {
		return aloft.Errorf(aloft.Invalid, "--client-context is no JSON")
	}
	if err := checkQualifier(o.qualifier); err != nil {
		return err
	}
	ref, c, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	payload, err := o.read(ctx, p, c, functionRef{ref, function})
	if err != nil {
		return err
	}
	got, err := c.Invoke(ctx, aloft.InvokeInput{
		Stage: ref, Function: function, Payload: payload, ClientContext: o.clientContext, Qualifier: o.qualifier, Tail: o.tail, Async: o.async,
	})
	if err != nil {
		return p.explain(ctx, c, ref, err)
	}
	if o.async {
		return p.printAccepted(function, got.RequestID)
	}
	if err := p.printInvocation(function, got); err != nil {
		return err
	}
	if got.FunctionError != "" {
		return &exitError{status: 1}
	}
	return nil
}

// checkQualifier refuses what can be neither a release nor an alias.
func checkQualifier(text string) error {
	if _, ok := aloft.ParseVersion(text); ok || text == "" || text == aloft.LatestVersion {
		return nil
	}
	if err := aloft.CheckAliasName(text); err != nil {
		return aloft.Errorf(aloft.Invalid, "%q is neither a release nor an alias", text).WithHint("such as v3; aloft releases and aloft aliases list them")
	}
	return nil
}

// readEvent returns an event as it was given.
func (p *program) readEvent(text string) ([]byte, error) {
	in := io.Reader(strings.NewReader(text))
	if name, isFile := strings.CutPrefix(text, "@"); isFile {
		f, err := os.Open(name)
		if err != nil {
			return nil, aloft.Errorf(aloft.Invalid, "%w", err).WithHint("--payload takes JSON, @FILE, or - for standard input")
		}
		defer func() { _ = f.Close() }()
		in = f
	} else if text == "-" {
		in = p.in
	}
	event, err := io.ReadAll(io.LimitReader(in, maxEvent+1))
	switch {
	case err != nil:
		return nil, aloft.Errorf(aloft.Invalid, "read the event: %w", err)
	case len(event) > maxEvent:
		return nil, aloft.Errorf(aloft.Invalid, "the event is longer than %s", aloft.SizeText(maxEvent)).WithHint("Lambda takes no more either: put it into a file or a bucket and send its name")
	case !json.Valid(event):
		return nil, aloft.Errorf(aloft.Invalid, "the event is no JSON").WithHint(`for example: --payload '{"name": "value"}', or --payload @event.json`)
	}
	return event, nil
}

func (p *program) printAccepted(function, id string) error {
	if p.flags.json {
		return p.printJSON(map[string]string{"requestId": id})
	}
	if !p.flags.quiet {
		fmt.Fprintln(p.err, p.paint(p.err).dim(clean(function)+" gets the event later, as request"))
	}
	_, err := fmt.Fprintln(p.out, id)
	return err
}

func (p *program) printInvocation(function string, got aloft.Invoked) error {
	if p.flags.json {
		payload := json.RawMessage(got.Payload)
		if !json.Valid(payload) { // a runtime may answer with anything
			text, err := json.Marshal(string(got.Payload))
			if err != nil {
				return err
			}
			payload = text
		}
		return p.printJSON(invocation{
			RequestID: got.RequestID, Release: got.Release, FunctionError: got.FunctionError, Payload: payload, Seconds: got.Elapsed.Seconds(),
			Log: string(got.LogTail),
		})
	}
	if len(got.LogTail) > 0 {
		fmt.Fprintln(p.err, strings.TrimRight(cleanLines(string(got.LogTail)), "\n"))
	}
	if got.FunctionError != "" {
		fmt.Fprintf(p.err, "%s failed: %s\n", clean(function), clean(got.FunctionError))
	} else if !p.flags.quiet {
		fmt.Fprintln(p.err, p.paint(p.err).dim(fmt.Sprintf("%s v%d answered in %s, request %s", clean(function), got.Release, short(got.Elapsed), got.RequestID)))
	}
	_, err := fmt.Fprintln(p.out, clean(string(got.Payload)))
	return err
}
