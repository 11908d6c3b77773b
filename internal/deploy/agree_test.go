package deploy_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/deploy"
)

// foresight is a platform that says what it would do.
type foresight struct {
	*platform

	said  aloft.Preview
	asked []aloft.PreviewInput
}

func (f *foresight) Preview(_ context.Context, in aloft.PreviewInput) (aloft.Preview, error) {
	f.asked = append(f.asked, in)
	return f.said, nil
}

var _ deploy.Platform = (*foresight)(nil)

func lossOf(action aloft.Action) aloft.Preview {
	return aloft.Preview{Regions: []aloft.RegionPreview{{Region: "eu-west-1", Resources: []aloft.ResourceChange{
		{Action: aloft.Add, ID: "Fine", Type: "AWS::SQS::Queue"},
		{Action: aloft.Remove, ID: "Version", Type: "AWS::Lambda::Version", Part: true},
		{Action: action, ID: "Orders", Type: "AWS::DynamoDB::Table"},
	}}}}
}

// A plan by its id is carried out as long as nothing moved; what did is said.
func TestUpByPlan(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	planned := func() aloft.DeployInput {
		t.Helper()
		plan, err := b.Plan(t.Context(), b.input(), b.events)
		if err != nil {
			t.Fatal(err)
		}
		in := b.input()
		in.Plan = plan.ID
		return in
	}
	refused := func(in aloft.DeployInput, what string) {
		t.Helper()
		_, err := b.Deploy(t.Context(), in, b.events)
		if e := fails(t, err, aloft.Conflict, what); !strings.Contains(e.Hint, "aloft plan production") {
			t.Errorf("the hint is %q", e.Hint)
		}
	}
	early := planned()
	if d, err := b.Deploy(t.Context(), early, b.events); err != nil || d.Release.Version != 1 {
		t.Fatalf("%+v, %v", d.Release, err)
	}
	refused(early, "no release was current, and now v1 is")
	same := planned()
	if d, err := b.Deploy(t.Context(), same, b.events); err != nil || !d.Unchanged {
		t.Fatalf("a plan without changes: %+v, %v", d.Release, err)
	}
	b.write(t, map[string]string{"run": "two"})
	refused(same, "the source")
	two := planned()
	if _, err := b.Configure(t.Context(), aloft.ConfigInput{Stage: production, Set: map[string]string{"A": "b"}}, b.events); err != nil {
		t.Fatal(err)
	}
	refused(two, "v1 was current, and now v2")
	if b.serving().Version != 2 {
		t.Error("a refused plan was carried out")
	}
	odd := b.input()
	odd.Plan = "x"
	_, err := b.Deploy(t.Context(), odd, b.events)
	fails(t, err, aloft.Invalid, "no id of a plan")
	if d, err := b.Deploy(t.Context(), planned(), b.events); err != nil || d.Release.Version != 3 {
		t.Errorf("%+v, %v", d.Release, err)
	}
}

// What would be replaced or deleted has to be agreed to, by hand or by the plan's id; the first deploy of an app leaves no app if not.
func TestLosses(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	f := &foresight{platform: b.platform, said: lossOf(aloft.Remove)}
	b.Platform = f
	_, err := b.Deploy(t.Context(), b.input(), b.events)
	loss, ok := errors.AsType[*aloft.LossError](err)
	if !ok || aloft.ErrorCode(err) != aloft.Conflict || !strings.Contains(loss.Err.Detail, "eu-west-1: Orders (AWS::DynamoDB::Table) is deleted") || strings.Contains(loss.Err.Detail, "Version") {
		t.Fatalf("got %v", err)
	}
	if apps, _ := b.apps.Apps(t.Context()); len(apps) != 0 {
		t.Error("a refused deploy made an app")
	}
	in := b.input()
	in.Plan = loss.Plan.ID
	if _, err := b.Deploy(t.Context(), in, b.events); err != nil {
		t.Fatal(err)
	}
	in = b.input()
	in.Agreed, in.Force = true, true
	if _, err := b.Deploy(t.Context(), in, b.events); err != nil {
		t.Fatal(err)
	}
	f.said = lossOf(aloft.Modify)
	in.Agreed = false
	if _, err := b.Deploy(t.Context(), in, b.events); err != nil { // in place, and forced
		t.Errorf("a modification was not agreed to: %v", err)
	}
	f.said.State = "changed"
	in.Plan = loss.Plan.ID
	_, err = b.Deploy(t.Context(), in, b.events)
	fails(t, err, aloft.Conflict)
}

// A rollback may lose something too.
func TestRollbackLosses(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	b.up(t)
	b.write(t, map[string]string{"run": "two"})
	b.up(t)
	f := &foresight{platform: b.platform, said: lossOf(aloft.Remove)}
	b.Platform = f
	_, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: production}, b.events)
	loss, ok := errors.AsType[*aloft.LossError](err)
	if !ok || b.serving().Version != 2 || len(loss.Plan.Changes) == 0 {
		t.Fatalf("got %v", err)
	}
	if in := f.asked[0]; in.Current.Version != 2 || in.Next.Version != 3 || in.Deep {
		t.Errorf("asked of %+v", in)
	}
	if _, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: production, Plan: loss.Plan.ID}, b.events); err != nil || b.serving().Version != 3 {
		t.Errorf("%v", err)
	}
	if _, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: production, Agreed: true}, b.events); err != nil {
		t.Error(err)
	}
	_, err = b.Rollback(t.Context(), aloft.RollbackInput{Stage: production, Plan: loss.Plan.ID}, b.events)
	fails(t, err, aloft.Conflict, "v2 was current, and now v4 is")
}

// Routes are changes of their own.
func TestRoutesOfPlans(t *testing.T) {
	t.Parallel()
	handler := "exports.handler = async () => 'ok'\n"
	b := newBench(t, map[string]string{"hello.js": handler, "aloft.yml": "functions: {hello: {handler: hello.handler, runtime: nodejs22.x}}\nroutes: {GET /a: hello, GET /b: hello}\n"})
	b.up(t)
	b.write(t, map[string]string{"aloft.yml": "functions: {hello: {handler: hello.handler, runtime: nodejs22.x}}\nroutes: {GET /b: hello, GET /c: hello}\n"})
	plan, err := b.Plan(t.Context(), b.input(), b.events)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range plan.Changes {
		if c.Kind == "route" || c.Kind == "function" {
			got = append(got, string(c.Action)+" "+c.Kind+" "+c.Name+" "+c.Before+c.After)
		}
	}
	if text := strings.Join(got, "\n"); text != "remove route GET /a hello\nadd route GET /c hello" {
		t.Errorf("the plan says\n%s", text)
	}
}
