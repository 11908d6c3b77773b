package lambdaapi

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/aloft-run/aloft"
)

// creation is the body of CreateFunction.
type creation struct {
	settings

	FunctionName string
	PackageType  string
	Code         code
	Publish      bool
	Tags         map[string]string
}

// author is who makes the releases that come this way.
const author = "aws lambda"

func (a *API) createFunction(r *http.Request) (any, error) {
	in, err := read[creation](r)
	if err != nil {
		return nil, err
	}
	name, qualifier, err := parseName(in.FunctionName)
	if err == nil && qualifier != "" {
		err = invalid("%q has a qualifier.", in.FunctionName)
	}
	if err == nil {
		err = in.check()
	}
	if err != nil {
		return nil, err
	}
	if _, err := a.latest(r.Context(), name); err == nil {
		return nil, conflict("Function already exist: %s", name)
	}
	f := aloft.Function{
		Name: handler, Kind: aloft.Handler, LambdaName: name, Memory: defaultMemory, Timeout: aloft.Duration(time.Duration(defaultTimeout) * time.Second),
	}
	input := aloft.PackageInput{Stage: refOf(name), Create: true, Author: author, Description: "CreateFunction " + name}
	if input.Config, err = in.apply(&f); err != nil {
		return nil, err
	}
	input.Function = f
	remove, err := a.putLayers(r.Context(), &input, in.Layers)
	if err != nil {
		return nil, err
	}
	defer remove()
	release, err := a.create(r.Context(), input, in.Code)
	if err != nil {
		return nil, err
	}
	t, err := a.latest(r.Context(), name)
	if err != nil {
		return nil, err
	}
	err = a.change(r.Context(), t, func(rec *record) error {
		rec.Tags = in.Tags
		if in.Publish {
			rec.publish(release.Version, "")
		}
		return nil
	})
	if err == nil { // those of a function of the same name that was deleted
		err = a.restoreMappings(r.Context(), func(m mapping) bool { return m.Name == name })
	}
	if err != nil {
		return nil, err
	}
	if in.Publish {
		t.qualifier = strconv.Itoa(release.Version)
	}
	return a.configuration(r.Context(), t)
}

// check refuses what cannot become a function.
func (in *creation) check() error {
	switch {
	case in.PackageType != "" && in.PackageType != "Zip" || in.Code.ImageURI != "":
		return invalid("Container images are not run by aloft: package the function as a zip.")
	case in.Runtime == nil:
		return invalid("Runtime is mandatory for functions created with deployment packages.")
	case in.Handler == nil:
		return invalid("Handler is mandatory for functions created with deployment packages.")
	case in.Role == nil:
		return invalid("Role is mandatory.")
	}
	return in.settings.check()
}

// create releases a new function. If it cannot be started nothing is left of it.
func (a *API) create(ctx context.Context, input aloft.PackageInput, from code) (aloft.Release, error) {
	deployment, err := a.ship(ctx, input, from)
	if err == nil {
		return deployment.Release, nil
	}
	if aloft.ErrorCode(err) == aloft.Conflict {
		return aloft.Release{}, conflict("There is an app %q already, which is where the function %s would be: choose another name", input.Stage.App, input.Function.LambdaName)
	}
	if deployment.Release.Version != 0 {
		if err := a.Deployer.Destroy(context.WithoutCancel(ctx), aloft.StageRef{App: input.Stage.App}); err != nil {
			return aloft.Release{}, err
		}
	}
	return aloft.Release{}, err
}

// change is the body of UpdateFunctionCode.
type codeChange struct {
	code

	Architectures []string
	Publish       bool
	DryRun        bool
	RevisionID    string `json:"RevisionId"`
}

func (a *API) updateCode(r *http.Request) (any, error) {
	in, err := read[codeChange](r)
	if err != nil {
		return nil, err
	}
	t, err := a.changeable(r, in.RevisionID)
	if err != nil {
		return nil, err
	}
	f := t.function.Clone()
	if _, err := (&settings{Architectures: in.Architectures}).apply(&f); err != nil {
		return nil, err
	}
	input := aloft.PackageInput{Stage: t.stage.StageRef, Function: f, Author: author, Description: "UpdateFunctionCode " + t.name}
	if !t.own() {
		if input, err = t.alone(input, in.Architectures); err != nil {
			return nil, err
		}
	}
	if in.DryRun {
		return a.dryRun(r.Context(), t, input, in.code)
	}
	deployment, err := a.ship(r.Context(), input, in.code)
	if err != nil {
		return nil, err
	}
	return a.updated(r.Context(), t, deployment.Release, in.Publish)
}

// dryRun says what the function would be.
func (a *API) dryRun(ctx context.Context, t *target, input aloft.PackageInput, from code) (any, error) {
	unpacked, err := a.unpack(ctx, from)
	if err != nil {
		return nil, err
	}
	defer unpacked.remove()
	unpacked.note(&input.Function)
	t.function = input.Function
	return a.configuration(ctx, t)
}

func (a *API) updateConfiguration(r *http.Request) (any, error) {
	in, err := read[settings](r)
	if err == nil {
		err = in.check()
	}
	if err != nil {
		return nil, err
	}
	t, err := a.changeable(r, in.RevisionID)
	if err != nil {
		return nil, err
	}
	if !t.own() {
		return a.adjust(r.Context(), t, in)
	}
	f := t.function.Clone()
	config, err := in.apply(&f)
	if err != nil {
		return nil, err
	}
	input := aloft.PackageInput{Stage: t.stage.StageRef, Function: f, Config: config, Author: author, Description: "UpdateFunctionConfiguration " + t.name}
	remove, err := a.putLayers(r.Context(), &input, in.Layers)
	if err != nil {
		return nil, err
	}
	defer remove()
	if err := a.checkSize(input, t.release.Artifact.Digest); err != nil {
		return nil, err
	}
	deployment, err := a.Deployer.Package(r.Context(), input, aloft.Discard{})
	if err != nil {
		return nil, err
	}
	return a.updated(r.Context(), t, deployment.Release, false)
}

// changeable returns the function that a request changes, as it is now.
func (a *API) changeable(r *http.Request, revision string) (*target, error) {
	t, err := a.found(r)
	switch {
	case err != nil:
		return nil, err
	case t.qualifier != "" && t.qualifier != latest:
		return nil, invalid("Versions cannot be changed: name the function without a qualifier.")
	}
	return t, fresh(revision, t.revision())
}

// updated is the answer to a change.
func (a *API) updated(ctx context.Context, t *target, release aloft.Release, publish bool) (any, error) {
	if publish {
		if err := a.change(ctx, t, func(rec *record) error { rec.publish(release.Version, ""); return nil }); err != nil {
			return nil, err
		}
		t.qualifier = strconv.Itoa(release.Version)
	}
	return a.configured(ctx, t, release)
}
