package lambdaapi

import (
	"context"
	"maps"
	"time"

	"github.com/aloft-run/aloft"
)

// Functions that aloft deploys have their code, handler and runtime from their source. What operators may set beside it is set
// here too, in releases of the stage; what nothing acts on is kept in the record.

// adjust changes what operators may set of a function that aloft deploys.
func (a *API) adjust(ctx context.Context, t *target, in settings) (any, error) {
	f := t.function
	if other(in.Runtime, f.Runtime) || other(in.Handler, f.Handler) {
		return nil, conflict("The handler and the runtime of %s are in the source of the app %s, which aloft deploys: change them there and run aloft up %s",
			t.name, t.stage.App, t.stage.Stage)
	}
	if in.Layers != nil && !sameLayers(f, *in.Layers) {
		return nil, conflict("What %s runs with is in the source of the app %s, which aloft deploys, and layers are not: put their files there and run aloft up %s",
			t.name, t.stage.App, t.stage.Stage)
	}
	input, err := a.adjustment(ctx, t, in)
	if err != nil {
		return nil, err
	}
	kept := aloft.Function{LambdaName: t.name}
	in.Runtime, in.Handler, in.MemorySize, in.Timeout, in.Environment = nil, nil, nil, nil, nil
	if _, err := in.apply(&kept); err != nil {
		return nil, err
	}
	deployment, err := a.Deployer.Adjust(ctx, input, aloft.Discard{})
	if err != nil {
		return nil, err
	}
	if len(kept.Attributes) > 0 {
		err = a.change(ctx, t, func(rec *record) error {
			for name, text := range kept.Attributes {
				put(&rec.Attributes, name, text)
			}
			return nil
		})
	}
	if err != nil {
		return nil, err
	}
	return a.updated(ctx, t, deployment.Release, false)
}

// adjustment is what operators may set of what a request sets.
func (a *API) adjustment(ctx context.Context, t *target, in settings) (aloft.AdjustInput, error) {
	input := aloft.AdjustInput{Stage: t.stage.StageRef, Function: t.function.Name, Author: author, Description: "UpdateFunctionConfiguration " + t.name}
	if m := in.MemorySize; m != nil && *m != t.function.Memory {
		input.Set.Memory = *m
	}
	if in.Timeout != nil && aloft.Duration(time.Duration(*in.Timeout)*time.Second) != t.function.Timeout {
		input.Set.Timeout = aloft.Duration(time.Duration(*in.Timeout) * time.Second)
	}
	if in.Environment == nil {
		return input, nil
	}
	err := a.variables(ctx, t, in.Environment.Variables, &input)
	return input, err
}

func other(asked *string, is string) bool { return asked != nil && *asked != is }

// variables says what changes if a function is to have these. Those of its source and of the whole stage stay below its own.
func (a *API) variables(ctx context.Context, t *target, wanted map[string]string, input *aloft.AdjustInput) error {
	config, err := a.Unseal(ctx, t.release)
	if err != nil {
		return err
	}
	have := maps.Clone(t.function.Env)
	if have == nil {
		have = map[string]string{}
	}
	maps.Copy(have, config.For(t.function.Name))
	for name, value := range wanted {
		if is, ok := have[name]; !ok || is != value {
			put(&input.Variables, name, value)
		}
	}
	for name := range have {
		_, wants := wanted[name]
		if _, own := config[aloft.VariableOf(t.function.Name, name)]; own && !wants {
			input.Unset = append(input.Unset, name)
		}
	}
	return nil
}

// alone is a change of the code of a function that aloft deploys, which it may have to itself: functions of one app share their
// code. What operators set stays beside it.
func (t *target) alone(input aloft.PackageInput, architectures []string) (aloft.PackageInput, error) {
	if n := len(t.release.Functions); n != 1 {
		return input, conflict("The function %s shares its code with %d more of the app %s, which aloft deploys: change the source and run aloft up %s",
			t.name, n-1, t.stage.App, t.stage.Stage)
	}
	input.Function, input.Tuned = t.release.Functions[0].Clone(), true
	_, err := (&settings{Architectures: architectures}).apply(&input.Function)
	return input, err
}
