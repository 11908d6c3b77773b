package lambdaapi

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

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
	names atomic.Pointer[map[string]string] // the function's name as Lambda has it, by the id

	mu     sync.Mutex
	of     string    // the releases that it was made from
	looked time.Time // when it was seen last which releases serve
}

// known returns the name of the function that had an id when it was looked last, "" for none.
func (x *index) known(id string) string {
	if names := x.names.Load(); names != nil {
		return (*names)[id]
	}
	return ""
}

// lookPause is between two looks at which releases serve, which everybody can cause who asks for an id that there is not.
const lookPause = 50 * time.Millisecond

// find is known for the releases that serve now. Those who ask at the same time are answered by one look.
func (x *index) find(ctx context.Context, a *API, id string) (string, error) {
	asked := time.Now()
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.looked.Before(asked) {
		return x.known(id), nil
	}
	select {
	case <-time.After(time.Until(x.looked.Add(lookPause))):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	began := time.Now()
	if err := x.look(ctx, a); err != nil {
		return "", err
	}
	x.looked = began
	return x.known(id), nil
}

// look makes the index anew if other releases serve by now.
func (x *index) look(ctx context.Context, a *API) error {
	stages, err := a.Apps.Stages(ctx, "")
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, s := range stages {
		fmt.Fprintf(&b, "%s %d %d\n", s.StageRef, s.CreatedAt.UnixNano(), s.Current)
	}
	of := b.String()
	if x.names.Load() != nil && x.of == of {
		return nil
	}
	all, err := a.all(ctx)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, t := range all {
		if u, ok := t.declared(); ok {
			names[u.ID] = t.name
		}
	}
	x.names.Store(&names)
	x.of = of
	return nil
}

// byDeclared finds the function of an URL that it has by its source.
func (a *API) byDeclared(ctx context.Context, id string) (*target, functionURL, error) {
	name := a.declaredURLs.known(id)
	t, u, err := a.declaredBy(ctx, name, id)
	if !missing(err) {
		return t, u, err
	}
	name, err = a.declaredURLs.find(ctx, a, id)
	if err != nil {
		return nil, functionURL{}, err
	}
	return a.declaredBy(ctx, name, id)
}

// declaredBy is the function of a name, if it has the URL with the id by its source.
func (a *API) declaredBy(ctx context.Context, name, id string) (*target, functionURL, error) {
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
