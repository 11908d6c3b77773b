package cli

import (
	"context"
	"fmt"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aws"
)

// statusResult is the status of a stage as --json says it.
type statusResult struct {
	aloft.Status

	Stacks []aws.StackState `json:"stacks,omitempty"` // on AWS, by region
	Drift  *[]aws.Drifted   `json:"drift,omitempty"`  // with --drift on AWS
}

// results add to the statuses of stages what only AWS has.
func (p *program) results(ctx context.Context, c backend, statuses []aloft.Status, drift bool) ([]statusResult, error) {
	all := []statusResult{}
	for _, s := range statuses {
		one, err := p.statusOnAWS(ctx, c, s, drift)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func (p *program) statusOnAWS(ctx context.Context, c backend, s aloft.Status, drift bool) (result statusResult, err error) {
	result, ref := statusResult{Status: s}, s.Stage.StageRef
	b, is := c.(*awsBackend)
	if !is {
		if drift && !p.flags.quiet {
			fmt.Fprintf(p.err, "%s is not on AWS: nothing changes it but aloft\n", ref)
		}
		return result, nil
	}
	if result.Stacks, err = b.platform.Stacks(ctx, ref); err != nil || !drift {
		return result, err
	}
	found, err := b.platform.Drift(ctx, ref)
	found = append([]aws.Drifted{}, found...)
	result.Drift = &found
	return result, err
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
