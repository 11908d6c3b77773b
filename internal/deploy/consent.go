package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/manifest"
)

// Consent is what somebody agreed to of all that a platform would replace or delete. The zero value is nothing.
type Consent struct {
	All  bool
	Plan string // the id of a plan: to what it says, as long as that is what would be done
}

// losing reports whether a change has to be looked at before it is carried out: for a plan by its id, or for what it loses.
func (d *Deployer) losing(plan string) bool {
	_, previews := d.Platform.(aloft.Previewer)
	return plan != "" || previews && !d.Consent.All
}

// agree looks at a deploy before anything is done. It is not settled if nothing differs: then there may be nothing to do, or what is
// there is made to serve anew, to which somebody agrees by agreeTo.
func (d *Deployer) agree(ctx context.Context, project project, build aloft.Build, input aloft.DeployInput) (settled bool, err error) {
	id := cmp.Or(input.Plan, d.Consent.Plan)
	if !d.losing(id) {
		return true, nil
	}
	plan, err := d.foresee(ctx, project, build, outlook{anyway: input.Force})
	if err != nil {
		return false, err
	}
	resources, err := project.settings.Declared()
	if err != nil {
		return false, err
	}
	if settled = input.Force || len(plan.Changes) > 0; !settled {
		id = input.Plan
	}
	if err = agreed(plan, id, resources); id != "" && input.Plan == "" {
		err = anew(err)
	}
	return settled, err
}

// agreeTo looks at a release that nobody planned before it is made.
func (d *Deployer) agreeTo(ctx context.Context, state state, next aloft.Release) error {
	if !d.losing(d.Consent.Plan) || next.Artifact.Digest == "" { // variables alone have nothing to lose
		return nil
	}
	config, err := d.Sealer.Unseal(state.app, next.Stage, next.Config)
	if err != nil {
		return err
	}
	next.Version = state.latest + 1
	plan, err := d.planned(ctx, outlook{state: state, next: next, config: config, anyway: true})
	if err != nil {
		return err
	}
	return anew(agreed(plan, d.Consent.Plan, next.Resources))
}

// anew is the error of a change to which somebody agreed when it was another one: that is asked about by the change itself, which may
// be none that aloft plan shows.
func anew(err error) error {
	if _, asks := errors.AsType[*aloft.LossError](err); asks || aloft.ErrorCode(err) != aloft.Conflict {
		return err
	}
	if e, is := errors.AsType[*aloft.Error](err); is {
		return e.WithHint("type the same command again: it asks about what it would do now")
	}
	return err
}

// agreed returns Conflict if a plan is not the one that somebody saw, Invalid if it cannot be carried out, or a LossError if it loses
// something that nobody saw.
func agreed(plan aloft.Plan, id string, next []aloft.Resource) error {
	if id != "" {
		if err := moved(plan, id); err != nil {
			return err
		}
	}
	losses := plan.Losses()
	var lines []string
	for _, l := range losses {
		lines = append(lines, l.String())
	}
	detail, hint := strings.Join(lines, "\n"), "the same with --yes agrees to it"
	for _, l := range losses {
		switch {
		case l.Was != "":
			return aloft.Errorf(aloft.Invalid, "nothing was done: CloudFormation makes nothing else of %s", l.ID).
				WithDetail(detail).WithHint("give what is new a logical id of its own: in the section cloudformation of %s, or with aws.ids", manifest.AloftFile)
		case l.Refused && l.Replace == aloft.ReplaceAlways:
			return aloft.Errorf(aloft.Invalid, "nothing was done: CloudFormation cannot replace %s under the same name", l.ID).
				WithDetail(detail).WithHint("%s", rename(plan.Stage, l, next))
		case l.Refused:
			hint = rename(plan.Stage, l, next) + ". With --yes CloudFormation is asked, and refuses if it cannot change what is there"
		}
	}
	if id != "" || len(losses) == 0 {
		return nil
	}
	return &aloft.LossError{Plan: plan, Err: aloft.Errorf(aloft.Conflict, "nothing was done: it would replace or delete what %s has", plan.Stage).
		WithDetail(detail).WithHint("%s", hint)}
}

// rename says how to have a new one beside what cannot be replaced.
func rename(ref aloft.StageRef, l aloft.Loss, next []aloft.Resource) string {
	for _, r := range next {
		if ref.ResourceName(r) == l.Name {
			return fmt.Sprintf("give it another name than %s below resources in %s, also where functions use it: a new one is made, and the old one stays with what is in it",
				r.Name, manifest.AloftFile)
		}
	}
	return fmt.Sprintf("leave %s of it as it was, or give it another name than %s", strings.Join(l.Causes, ", "), l.Name)
}
