package local_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/aloft-run/aloft"
)

// versionRuntime answers every event with its release, after printing it.
const versionRuntime = `
import os, sys, urllib.request
base = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(base + "next") as r:
        id = r.headers["Lambda-Runtime-Aws-Request-Id"]
        arn = r.headers["Lambda-Runtime-Invoked-Function-Arn"]
    print("by v" + os.environ["ALOFT_RELEASE"], os.environ["GREETING"], arn, flush=True)
    body = b'{"statusCode":200,"body":"v%s"}' % os.environ["AWS_LAMBDA_FUNCTION_VERSION"].encode()
    urllib.request.urlopen(urllib.request.Request(base + id + "/response", body), timeout=60)
`

// handlers makes n releases of a handler function, the last of which serves. Also completes each.
func (w *world) handlers(t *testing.T, n int, also ...func(r *aloft.Release)) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("needs python3: apt-get install python3")
	}
	ctx := t.Context()
	if err := w.store.CreateApp(ctx, aloft.App{Name: shop.App}); err != nil {
		t.Fatal(err)
	}
	if err := w.store.CreateStage(ctx, aloft.Stage{StageRef: shop}); err != nil {
		t.Fatal(err)
	}
	for v := range n {
		r := release(v + 1)
		r.Functions = []aloft.Function{{Name: "create", Kind: aloft.Handler, Runtime: "provided", Handler: "create", Command: []string{python, "-c", versionRuntime}}}
		if v == 0 {
			r.Functions[0].Name = "old"
		}
		for _, complete := range also {
			complete(&r)
		}
		made, err := w.store.CreateRelease(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		commit := func(ctx context.Context) error { return w.store.FinishRelease(ctx, shop, made.Version, "") }
		if v < n-1 {
			err = commit(ctx)
		} else {
			err = w.Apply(ctx, made, aloft.Discard{}, commit)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Route(ctx, aloft.Stage{StageRef: shop}); err != nil {
		t.Fatal(err)
	}
}

// invoked is which release an event reached by a qualifier.
func (w *world) invoked(t *testing.T, qualifier string) int {
	t.Helper()
	got, err := w.Invoke(t.Context(), aloft.InvokeInput{Stage: shop, Function: "create", Qualifier: qualifier})
	if err != nil {
		t.Errorf("%q: %v", qualifier, err)
		return 0
	}
	if want := fmt.Sprintf(`{"statusCode":200,"body":"v%d"}`, got.Release); string(got.Payload) != want {
		t.Errorf("%q: v%d answers %s", qualifier, got.Release, got.Payload)
	}
	return got.Release
}

func (w *world) alias(t *testing.T, a aloft.Alias) {
	t.Helper()
	a.StageRef = shop
	if _, err := w.store.CreateAlias(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	w.AliasesChanged(shop)
}

func TestQualifiers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.handlers(t, 4)
	w.alias(t, aloft.Alias{Name: "live", Version: 2})
	w.alias(t, aloft.Alias{Name: "live", Function: "create", Version: 3})
	w.alias(t, aloft.Alias{Name: "v9", Version: 2})
	for qualifier, want := range map[string]int{"": 4, "current": 4, shop.Stage: 4, "$LATEST": 4, "4": 4, "v4": 4, "3": 3, "v2": 2, "live": 3, "v9": 2} {
		if got := w.invoked(t, qualifier); got != want {
			t.Errorf("%q is v%d, want v%d", qualifier, got, want)
		}
	}
	for qualifier, code := range map[string]aloft.Code{"7": aloft.NotFound, "none": aloft.NotFound, "1": aloft.NotFound} { // v1 has no such function
		if _, err := w.Invoke(t.Context(), aloft.InvokeInput{Stage: shop, Function: "create", Qualifier: qualifier}); aloft.ErrorCode(err) != code {
			t.Errorf("%q: %v", qualifier, err)
		}
	}
	running := map[int]bool{}
	for _, i := range w.instances(t) {
		running[i.Release] = true
	}
	if !running[2] || !running[3] || !running[4] || running[1] {
		t.Errorf("these run: %v", running)
	}
	if err := w.Stop(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	for _, qualifier := range []string{"", "2"} {
		if _, err := w.Invoke(t.Context(), aloft.InvokeInput{Stage: shop, Function: "create", Qualifier: qualifier}); aloft.ErrorCode(err) != aloft.Unavailable {
			t.Errorf("%q of a stopped stage: %v", qualifier, err)
		}
	}
	if all := w.instances(t); len(all) != 0 || len(w.left("trees")) != 0 {
		t.Errorf("after the stop there are %v and %v", all, w.left("trees"))
	}
}

// TestTail: the end of the log comes with the answer, with the id that was given.
func TestTail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.handlers(t, 3)
	got, err := w.Invoke(t.Context(), aloft.InvokeInput{Stage: shop, Function: "create", Qualifier: "2", RequestID: "my-id", Tail: true})
	if err != nil || got.RequestID != "my-id" {
		t.Fatalf("%+v, %v", got, err)
	}
	lines := strings.Split(string(got.LogTail), "\n")
	if len(lines) != 5 || lines[0] != "START RequestId: my-id Version: 2" || lines[1] != "by v2 v2 arn:aws:lambda:us-east-1:000000000000:function:shop-create-staging:2" ||
		lines[2] != "END RequestId: my-id" || !strings.HasPrefix(lines[3], "REPORT RequestId: my-id\tDuration") {
		t.Errorf("the tail is %q", lines)
	}
	if _, err := w.Invoke(t.Context(), aloft.InvokeInput{Stage: shop, Function: "create", RequestID: "a\r\nb"}); aloft.ErrorCode(err) != aloft.Invalid {
		t.Errorf("a bad id: %v", err)
	}
}

// TestWeights: events and requests are shared out, and nothing is lost while the shares change.
func TestWeights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.handlers(t, 3)
	w.alias(t, aloft.Alias{Name: aloft.CurrentAlias, Weights: map[int]float64{2: 0.5}})
	count := map[int]int{}
	for range 60 {
		count[w.invoked(t, "")]++
	}
	if count[2] < 5 || count[3] < 5 || count[2]+count[3] != 60 {
		t.Errorf("shares of events: %v", count)
	}
	answers := map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 15 {
				answer := w.ask(t)
				mu.Lock()
				answers[answer]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if answers["v2"] < 5 || answers["v3"] < 5 || answers["v2"]+answers["v3"] != 60 {
		t.Errorf("shares of requests: %v", answers)
	}
	for range 20 {
		if got := w.invoked(t, "$LATEST"); got != 3 {
			t.Fatalf("$LATEST is v%d", got)
		}
	}
	if err := w.store.DeleteAlias(t.Context(), shop, "", aloft.CurrentAlias); err != nil {
		t.Fatal(err)
	}
	w.AliasesChanged(shop)
	for range 20 {
		if got, answer := w.invoked(t, ""), w.ask(t); got != 3 || answer != "v3" {
			t.Fatalf("without shares it is v%d, %s", got, answer)
		}
	}
}

// ask makes a request for a handler function.
func (w *world) ask(t *testing.T) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/create", http.NoBody)
	if err != nil {
		t.Error(err)
		return ""
	}
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	w.table.Lookup(host).Events.ServeHTTP(rec, request)
	if rec.status != http.StatusOK {
		return fmt.Sprint(rec.status)
	}
	return rec.body.String()
}

// TestManySides: only so many releases run besides the current one, and those that are not needed make room.
func TestManySides(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.handlers(t, 12)
	for v := 2; v <= 11; v++ {
		if got := w.invoked(t, fmt.Sprint(v)); got != v {
			t.Errorf("v%d answers for v%d", got, v)
		}
	}
	eventually(t, "at most 8 and the current one run", func() bool {
		running := map[int]bool{}
		for _, i := range w.instances(t) {
			running[i.Release] = true
		}
		return len(running) <= 9 && len(w.left("trees")) <= 9 && running[11]
	})
}

// TestMissingInterpreter: a deploy says what is missing and how to get it.
func TestMissingInterpreter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := release(1)
	r.Functions = []aloft.Function{{Name: "create", Kind: aloft.Handler, Runtime: "ruby3.4", Handler: "app.handler", Env: map[string]string{"PATH": "/nonexistent:$APP/bin"}}}
	err := w.Apply(t.Context(), r, aloft.Discard{}, fine)
	if e, ok := errors.AsType[*aloft.Error](err); !ok || !strings.Contains(e.Message, "create needs ruby for its runtime ruby3.4") || !strings.Contains(e.Hint, "apt-get install ruby") {
		t.Errorf("%v", err)
	}
}
