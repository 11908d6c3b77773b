package deploy

import (
	"context"
	"time"

	"github.com/aloft-run/aloft"
)

// hook runs a shell line with the code and config of a release, before or after the switch to it.
func (d *Deployer) hook(ctx context.Context, release aloft.Release, name, line string, report aloft.Reporter) error {
	began := time.Now()
	report.Report(aloft.StepStarted{Step: name, Text: line})
	out := newPrinted(name, reportFunc(func(event aloft.Event) {
		report.Report(event)
		if o, ok := event.(aloft.Output); ok {
			d.Logs.Append(release.StageRef, aloft.LogLine{
				Time: time.Now(), Release: release.Version, Function: name, Stream: "run", Text: o.Text,
			})
		}
	}))
	status, err := d.Platform.RunRelease(ctx, release, aloft.RunInput{
		Stage: release.StageRef, Command: []string{"/bin/sh", "-c", line}, Stdout: out, Stderr: out,
	})
	out.Flush()
	if err != nil {
		return err
	}
	if status != 0 {
		hint := "mend it and deploy again; what served before still does"
		if d.AWS != nil && len(release.Resources) > 0 {
			hint += ". It ran on this machine, where the stores of the stage are out of reach: work on them in a function, and aloft invoke that"
		}
		return aloft.Errorf(aloft.Failed, "the %s hook failed with exit status %d: %s", name, status, line).
			WithHint("%s", hint).WithDetail(out.tail.String())
	}
	report.Report(aloft.StepDone{Step: name, Text: line, Elapsed: time.Since(began)})
	return nil
}

// reportFunc is a Reporter that is a function.
type reportFunc func(aloft.Event)

// Report calls f.
func (f reportFunc) Report(event aloft.Event) { f(event) }
