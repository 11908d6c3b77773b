package deploy

import (
	"context"
	"maps"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
)

// Adjust changes what operators set of one function, its variables too, in one release. Changing nothing makes none. It returns
// NotFound if nothing is deployed or there is no such function, Invalid for what a function of its kind cannot have.
func (d *Deployer) Adjust(ctx context.Context, input aloft.AdjustInput, report aloft.Reporter) (aloft.Deployment, error) {
	began := time.Now()
	variables := variablesOf(input)
	if err := checkConfig(variables); err != nil {
		return aloft.Deployment{}, err
	}
	ctx, unlock, err := d.lockStage(ctx, input.Stage, report)
	if err != nil {
		return aloft.Deployment{}, err
	}
	defer unlock()
	state, err := d.deployed(ctx, input.Stage)
	if err != nil {
		return aloft.Deployment{}, err
	}
	next, err := d.adjusted(ctx, state, input, variables)
	if err != nil {
		return aloft.Deployment{}, err
	}
	return d.changed(ctx, state, next, began, report)
}

// changed releases next unless it is what serves already.
func (d *Deployer) changed(ctx context.Context, state state, next aloft.Release, began time.Time, report aloft.Reporter) (aloft.Deployment, error) {
	current := state.current
	if same(current, next) {
		return aloft.Deployment{Release: current, URL: d.URL(current.StageRef), Unchanged: true, Elapsed: time.Since(began)}, nil
	}
	deployment, err := d.release(ctx, state, next, hooks{}, report)
	deployment.Elapsed = time.Since(began)
	return deployment, err
}

// variablesOf are the variables to change, as those of a stage are named.
func variablesOf(input aloft.AdjustInput) aloft.ConfigInput {
	c := aloft.ConfigInput{Stage: input.Stage, Set: map[string]string{}}
	for name, value := range input.Variables {
		c.Set[aloft.VariableOf(input.Function, name)] = value
	}
	for _, name := range input.Unset {
		c.Unset = append(c.Unset, aloft.VariableOf(input.Function, name))
	}
	return c
}

// adjusted is the release after a change.
func (d *Deployer) adjusted(ctx context.Context, state state, input aloft.AdjustInput, variables aloft.ConfigInput) (aloft.Release, error) {
	next := state.current.Clone()
	next.Kind, next.Status, next.Reason = aloft.TuneRelease, aloft.Pending, ""
	if _, err := functionNamed(next, input.Function); err != nil {
		return next, err
	}
	tune := aloft.TuneInput{Stage: input.Stage}
	if input.Set.Fields() != nil {
		tune.Set = map[string]aloft.Tuning{input.Function: input.Set}
	}
	if len(input.Reset) > 0 {
		tune.Reset = map[string][]aloft.TuningField{input.Function: input.Reset}
	}
	tune, err := d.resolveSources(ctx, next, tune)
	if err != nil {
		return next, err
	}
	if next.Tuning, err = tuned(next, tune); err != nil {
		return next, err
	}
	config, what := change(state.config, variables)
	next.Author, next.Description = input.Author, described(input.Description, tuneText(tune), what)
	if maps.Equal(config, state.config) {
		return next, nil
	}
	if err := checkSize(config); err != nil {
		return next, err
	}
	next.Config, err = d.Sealer.Seal(state.app, input.Stage.Stage, state.latest+1, config)
	return next, err
}

// described is a line that says why, and what changes.
func described(why string, what ...string) string {
	var all []string
	for _, text := range what {
		if text != "" {
			all = append(all, text)
		}
	}
	if why != "" && len(all) > 0 {
		return why + ": " + strings.Join(all, ", ")
	}
	return why + strings.Join(all, ", ")
}
