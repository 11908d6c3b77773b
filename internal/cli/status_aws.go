package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aws"
	"github.com/aloft-run/aloft/internal/s3"
)

// statusResult is the status of a stage as --json says it.
type statusResult struct {
	aloft.Status

	Newest *newestRelease   `json:"newest,omitempty"` // one that is tried, or that was and nothing else serves
	Stacks []aws.StackState `json:"stacks,omitempty"` // on AWS, by region
	Drift  *[]aws.Drifted   `json:"drift,omitempty"`  // with --drift on AWS

	nothing bool // no release serves
}

// newestRelease is a release that does not serve, or not alone.
type newestRelease struct {
	Version int                 `json:"version"`
	Status  aloft.ReleaseStatus `json:"status"`
	Reason  string              `json:"reason,omitempty"` // why it failed
	Holder  string              `json:"holder,omitempty"` // who works on it, if somebody does
}

// statusOnServer adds to a status what became of the newest release, if none ever served.
func (p *program) statusOnServer(ctx context.Context, c backend, s aloft.Status) (statusResult, error) {
	result := statusResult{Status: s, nothing: s.Stage.Current == 0}
	if !result.nothing {
		return result, nil
	}
	newest, err := c.Releases(ctx, s.Stage.StageRef, 1)
	if len(newest) > 0 {
		result.Newest = &newestRelease{Version: newest[0].Version, Status: newest[0].Status, Reason: newest[0].Reason}
	}
	return result, err
}

// tellNoDrift says that a stage is where nobody else changes it.
func (p *program) tellNoDrift(ref aloft.StageRef) {
	if !p.flags.quiet {
		fmt.Fprintf(p.err, "%s is not on AWS: nothing changes it but aloft\n", ref)
	}
}

// look is the status of a stage.
func (b *awsBackend) look(ctx context.Context, ref aloft.StageRef, drift bool) (statusResult, error) {
	seen, err := b.platform.Look(ctx, ref)
	if err != nil {
		return statusResult{}, err
	}
	result := statusResult{Status: seen.Status, Stacks: seen.Stacks, nothing: !seen.Serves}
	if newest := seen.Newest; newest.Version > seen.Status.Stage.Current && (result.nothing || newest.Status == aloft.Pending) {
		result.Newest = &newestRelease{Version: newest.Version, Status: newest.Status, Reason: newest.Reason}
		if newest.Status == aloft.Pending {
			if result.Newest.Holder, err = b.holder(ctx, ref); err != nil {
				return result, err
			}
		}
	}
	if !drift || result.nothing {
		return result, nil
	}
	found, err := b.platform.Drift(ctx, ref)
	found = append([]aws.Drifted{}, found...)
	result.Drift = &found
	return result, err
}

// looks are the statuses of the stages of an app.
func (b *awsBackend) looks(ctx context.Context, app string, drift bool) ([]statusResult, error) {
	if _, err := b.apps.App(ctx, app); err != nil {
		return nil, err
	}
	stages, err := b.apps.Stages(ctx, app)
	if err != nil {
		return nil, err
	}
	all := []statusResult{}
	for _, stage := range stages {
		one, err := b.look(ctx, stage.StageRef, drift)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// holder is who changes a stage, "" if nobody does.
func (b *awsBackend) holder(ctx context.Context, ref aloft.StageRef) (string, error) {
	store, is := b.apps.AppService.(*s3.Store)
	if !is {
		return "", nil
	}
	holder, err := store.Holder(ctx, ref)
	if aloft.ErrorCode(err) == aloft.NotFound {
		return "", nil
	}
	return holder.String(), err
}

// printNewest says what became of the newest release, if that is not what serves.
func (p *program) printNewest(s statusResult) {
	n := s.Newest
	if n == nil {
		return
	}
	text := fmt.Sprintf("v%d is %s", n.Version, n.Status)
	switch {
	case n.Status == aloft.Broken && n.Reason != "":
		text = fmt.Sprintf("v%d failed: %s", n.Version, strings.ReplaceAll(n.Reason, "\n", " "))
	case n.Holder != "":
		text += ": " + n.Holder + " works on it"
	case n.Status == aloft.Pending && s.Stacks != nil && s.nothing:
		text += ", but nobody works on it: aloft up " + s.Stage.Stage + " goes on from there"
	case n.Status == aloft.Pending && s.Stacks != nil:
		text += fmt.Sprintf(", but nobody works on it: the next aloft up %s puts v%d back, unless v%d serves already", s.Stage.Stage, s.Stage.Current, n.Version)
	}
	fmt.Fprintln(p.out, "  "+clean(text))
}

// printStacks prints how the stacks of a stage are, and what somebody changed.
func (p *program) printStacks(s statusResult) error {
	for _, one := range s.Stacks {
		status := one.Status
		if status == "" {
			status = "is not there"
		}
		fmt.Fprintf(p.out, "  %s  stack %s  %s", one.Region, clean(one.Stack), clean(status))
		if one.Release > 0 {
			fmt.Fprintf(p.out, "  template of v%d, %s ago", one.Release, ago(one.Changed))
		}
		fmt.Fprintln(p.out)
		for _, text := range []string{one.Reason, one.Hint} {
			if text != "" {
				fmt.Fprintln(p.out, "    "+clean(text))
			}
		}
	}
	if s.Drift == nil {
		return nil
	}
	if len(*s.Drift) == 0 {
		fmt.Fprintln(p.out, "  no drift: all is as the templates say")
		return nil
	}
	rows := [][]string{{"REGION", "DRIFT OF", "TYPE", "PROPERTY", "TEMPLATE SAYS", "IS"}}
	for _, d := range *s.Drift {
		if d.Deleted {
			rows = append(rows, []string{d.Region, d.Physical, d.Type, "", "", "deleted"})
		}
		for _, one := range d.Differences {
			rows = append(rows, []string{d.Region, d.Physical, d.Type, one.Property, fit(clean(one.Expected), widestValue), fit(clean(one.Actual), widestValue)})
		}
	}
	if err := table(p.out, rows); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "Somebody changed that by other means. Write into aloft.yml what is to stay; aloft up %s --force may take the rest back.\n", s.Stage.Stage)
	return nil
}

// widestValue is how much of a property's value is shown.
const widestValue = 40
