package aws_test

import (
	"errors"
	"testing"

	"github.com/aloft-run/aloft"
)

// TestUnready: a release whose server does not answer gets no requests, whether code alone or the stack changed.
func TestUnready(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*world){"code": func(*world) {}, "stack": func(w *world) { w.set("COLOR", "blue") }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newMiniStack(t)
			w.up("one")
			w.up("two")
			change(w)
			err := w.apply(t.Context(), w.release("dead"))
			wantError(t, err, aloft.Failed, "v3 is not ready: hello-web, version 3, fails at GET /: ./server ended before it was ready: exit status 3", "v2 serves all requests")
			if e, is := errors.AsType[*aloft.Error](err); !is || e.Detail != "no database" {
				t.Errorf("the detail is of %#v", err)
			}
			w.expect("two red")
			w.up("four")
			w.expect(map[string]string{"code": "four red", "stack": "four blue"}[name])
		})
	}
}

// TestUnreadyFirst: the first release has nothing beside it. Its stack stays, and the next one goes on from there.
func TestUnreadyFirst(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	wantError(t, w.apply(t.Context(), w.release("dead")), aloft.Failed, "v1 is not ready: hello-web, version 1", "nothing served before, so the stack stays")
	w.up("two")
	w.expect("two red")
}

// TestOwnErrors: what an app answers is its own business, where nobody named a path that tells its health.
func TestOwnErrors(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.up("one")
	w.up("broken")
	w.expect("broken red")
	release := w.release("broken still")
	release.Functions[0].HealthPath = "/healthy"
	w.must(w.apply(t.Context(), release))
	release = w.release("broken")
	release.Functions[0].HealthPath = "/healthy"
	wantError(t, w.apply(t.Context(), release), aloft.Failed, "answers GET /healthy with 500", "v3 serves all requests")
	w.expect("broken still red")
}
