package lambdaapi

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/aloft-run/aloft"
)

// A function that aloft deploys may have an URL by its source. It comes and goes with releases, so it is no document: which function
// an id belongs to is seen from the releases that serve.

// declared is the URL that a function has by its source.
func (t *target) declared() (functionURL, bool) {
	said := t.function.URL
	if said == nil {
		return functionURL{}, false
	}
	u := functionURL{
		ID: t.stage.URLID(t.function.Name), AuthType: authNone, InvokeMode: buffered, Created: t.stage.CreatedAt, Changed: t.release.CreatedAt,
	}
	if said.IAM {
		u.AuthType = authIAM
	}
	if said.Stream {
		u.InvokeMode = respStream
	}
	return u, true
}

// url is the URL that a function has at a qualifier. One by the source takes the place of one that was made here.
func (t *target) url(qualifier string) (functionURL, bool) {
	if qualifier == "" {
		if u, ok := t.declared(); ok {
			return u, true
		}
	}
	u, ok := t.record.URLs[qualifier]
	return u, ok
}

// free refuses to change an URL that a function has by its source.
func (t *target) free() error {
	if _, ok := t.declared(); ok && t.qualifier == "" {
		return conflict("The URL of the function %s is in the source of the app %s, which aloft deploys: change url in aloft.yml and run aloft up %s",
			t.name, t.stage.App, t.stage.Stage)
	}
	return nil
}

// URLs are the addresses of the functions of a stage's current release, by name.
func (a *API) URLs(ctx context.Context, release aloft.Release) map[string]string {
	all := map[string]string{}
	for _, f := range release.Tuned() {
		if f.Kind != aloft.Handler {
			continue
		}
		t := &target{stage: aloft.Stage{StageRef: release.StageRef}, release: release, function: f}
		if r, err := a.recordOf(ctx, release.StageRef, f); err == nil { // else it is as if there were none
			t.record = r
		}
		if u, ok := t.url(""); ok {
			all[f.Name] = a.URL(u.ID)
		}
	}
	return all
}

// index is which functions have an URL by their source, for the releases that serve.
type index struct {
	mu    sync.Mutex
	of    string            // the releases that it was made from
	names map[string]string // the function's name as Lambda has it, by the id
}

// find returns the name of the function of an id, "" for none. It makes the index anew if other releases serve by now.
func (x *index) find(ctx context.Context, a *API, id string) (string, error) {
	stages, err := a.Apps.Stages(ctx, "")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, s := range stages {
		fmt.Fprintf(&b, "%s %d %d\n", s.StageRef, s.CreatedAt.UnixNano(), s.Current)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if of := b.String(); x.names == nil || x.of != of {
		all, err := a.all(ctx)
		if err != nil {
			return "", err
		}
		x.of, x.names = of, map[string]string{}
		for _, t := range all {
			if u, ok := t.declared(); ok {
				x.names[u.ID] = t.name
			}
		}
	}
	return x.names[id], nil
}

// byDeclared finds the function of an URL that it has by its source.
func (a *API) byDeclared(ctx context.Context, id string) (*target, functionURL, error) {
	name, err := a.declaredURLs.find(ctx, a, id)
	if err != nil {
		return nil, functionURL{}, err
	}
	if name != "" {
		t, err := a.find(ctx, name, "")
		if err != nil {
			return nil, functionURL{}, err
		}
		if u, ok := t.declared(); ok && u.ID == id {
			return t, u, nil
		}
	}
	return nil, functionURL{}, notFound("no such function URL")
}
