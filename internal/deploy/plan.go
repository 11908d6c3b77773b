package deploy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// Plan builds and says what Deploy would change; see [aloft.Deployer].
func (d *Deployer) Plan(ctx context.Context, input aloft.DeployInput, report aloft.Reporter) (aloft.Plan, error) {
	project, err := d.open(input, report)
	if err != nil {
		return aloft.Plan{}, err
	}
	build, unpin, err := d.build(ctx, &project, input.Force, report)
	if err != nil {
		return aloft.Plan{}, err
	}
	defer unpin()
	return d.foresee(ctx, project, build, outlook{deep: true, anyway: input.Force, report: report})
}

// foresee is the plan of releasing a build of a project. It makes nothing, and no secret of those that app.json asks for.
func (d *Deployer) foresee(ctx context.Context, project project, build aloft.Build, w outlook) (aloft.Plan, error) {
	state, err := d.load(ctx, project.ref)
	if err != nil && aloft.ErrorCode(err) != aloft.NotFound {
		return aloft.Plan{}, err
	}
	missing := err != nil
	resources, err := project.settings.Declared()
	if err != nil {
		return aloft.Plan{}, err
	}
	w.state, w.config = state, state.config
	w.next = aloft.Release{
		StageRef: project.ref, Version: state.latest + 1, Artifact: build.Artifact, Functions: build.Functions, Resources: resources,
		Config: state.current.Config, Tuning: state.current.Tuning,
	}
	if err := d.place(ctx, &w.next, project, state.stage); err != nil {
		return aloft.Plan{}, err
	}
	if w.report != nil {
		if err := d.check(ctx, state.current, w.next, w.report); err != nil {
			return aloft.Plan{}, err
		}
	}
	made := toGenerate(state, project)
	if len(made) > 0 {
		w.anyway = true
		w.next.Config.Version = w.next.Version
		if w.config = maps.Clone(w.config); w.config == nil {
			w.config = aloft.Config{}
		}
	}
	for _, c := range made {
		w.config[c.Name] = strings.Repeat("0", secretBytes*2) // as long as it will be
	}
	plan, err := d.planned(ctx, w)
	plan.Build = build
	if missing {
		plan.Changes = append([]aloft.Change{{Action: aloft.Add, Kind: "stage", Name: project.ref.String(), After: d.URL(project.ref)}}, plan.Changes...)
	}
	plan.Changes = append(plan.Changes, made...)
	return plan, err
}

// outlook is what a plan is made of: a stage as it is and the release that comes next.
type outlook struct {
	state  state
	next   aloft.Release
	config aloft.Config   // of next, in clear
	report aloft.Reporter // told what the platform says of next; nil: nobody
	deep   bool           // for people, not only to compare
	anyway bool           // a release is made though nothing differs
}

// planned is the plan of making a release current.
func (d *Deployer) planned(ctx context.Context, w outlook) (aloft.Plan, error) {
	current := w.state.current
	plan := aloft.Plan{Stage: w.next.StageRef, Current: w.state.stage.Current}
	plan.Changes = append(plan.Changes, diff(current, w.next)...)
	plan.Changes = append(plan.Changes, awsDiff(current, w.next)...)
	plan.Changes = append(plan.Changes, d.resourceDiff(w.next.StageRef, current.Resources, w.next.Resources)...)
	if p, ok := d.Platform.(aloft.Previewer); ok && (w.anyway || len(plan.Changes) > 0) {
		preview, err := p.Preview(ctx, aloft.PreviewInput{Current: current, Next: w.next, Config: w.config, Deep: w.deep})
		if err != nil {
			return plan, err
		}
		plan.Preview = &preview
	}
	var err error
	plan.ID, err = planID(plan, w)
	return plan, err
}

// planID names the state a plan was made against and the state it leads to: the number of the release that is current, a digest
// of what else there is, and one of what comes.
func planID(plan aloft.Plan, w outlook) (string, error) {
	preview := aloft.Preview{}
	if plan.Preview != nil {
		preview = *plan.Preview
	}
	before, err := digestOf(plan.Stage, plan.Current, w.state.current.Config, preview.State)
	if err != nil {
		return "", err
	}
	variables := slices.Sorted(maps.Keys(w.config)) // sealed values are others each time, and clear ones could be guessed
	after, err := digestOf(w.next.Artifact.Digest, w.next.Functions, w.next.Tuning, w.next.Resources, w.next.AWS, w.next.Config.Version, variables, preview.Outcome)
	return fmt.Sprintf("%d-%s-%s", plan.Current, before, after), err
}

func digestOf(values ...any) (string, error) {
	text, err := json.Marshal(values)
	if err != nil {
		return "", fmt.Errorf("name the plan: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:idBytes]), nil
}

const idBytes = 5

// moved says what differs between the plan of an id and that of now.
func moved(now aloft.Plan, id string) error {
	if id == now.ID {
		return nil
	}
	was, is := strings.Split(id, "-"), strings.Split(now.ID, "-")
	if len(was) != len(is) {
		return aloft.Errorf(aloft.Invalid, "%q is no id of a plan", id).WithHint("aloft plan %s prints one", now.Stage.Stage)
	}
	text := "the source, or what it builds, is not what was planned"
	switch {
	case was[0] != is[0]:
		text = fmt.Sprintf("the plan was made when %s was current, and now %s is", numbered(was[0]), numbered(is[0]))
	case was[1] != is[1]:
		text = "the plan is of another stage, or the stack was changed since it was made"
	}
	return aloft.Errorf(aloft.Conflict, "nothing was done: %s", text).
		WithHint("look at what it would change now: aloft plan %s", now.Stage.Stage)
}

func numbered(version string) string {
	if version == "0" {
		return "no release"
	}
	return "v" + version
}
