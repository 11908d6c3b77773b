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
	in.Force, b.Consent.All = true, true
	if _, err := b.Deploy(t.Context(), in, b.events); err != nil {
		t.Fatal(err)
	}
	f.said = lossOf(aloft.Modify)
	b.Consent.All = false
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
	b.Consent.Plan = loss.Plan.ID
	if _, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: production}, b.events); err != nil || b.serving().Version != 3 {
		t.Errorf("%v", err)
	}
	b.Consent = deploy.Consent{All: true}
	if _, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: production}, b.events); err != nil {
		t.Error(err)
	}
	b.Consent = deploy.Consent{Plan: loss.Plan.ID}
	_, err = b.Rollback(t.Context(), aloft.RollbackInput{Stage: production}, b.events)
	if e := fails(t, err, aloft.Conflict, "v2 was current, and now v4 is"); !strings.Contains(e.Hint, "the same command again") {
		t.Errorf("the hint is %q", e.Hint)
	}
}

// Every change that makes a release, or makes one serve anew, asks before something is lost, and does nothing unless somebody agrees.
func TestLossesOfEveryChange(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(context.Context, *bench) error{
		"config": func(ctx context.Context, b *bench) error {
			_, err := b.Configure(ctx, aloft.ConfigInput{Stage: production, Set: map[string]string{"A": "b"}}, b.events)
			return err
		},
		"tune": func(ctx context.Context, b *bench) error {
			_, err := b.Tune(ctx, aloft.TuneInput{Stage: production, Set: map[string]aloft.Tuning{"web": {Memory: 128}}}, b.events)
			return err
		},
		"adjust": func(ctx context.Context, b *bench) error {
			_, err := b.Adjust(ctx, aloft.AdjustInput{Stage: production, Function: "web", Set: aloft.Tuning{Memory: 128}}, b.events)
			return err
		},
		"domains": func(ctx context.Context, b *bench) error {
			_, err := b.SetDomains(ctx, production, []string{"shop.example"})
			return err
		},
		"promote": func(ctx context.Context, b *bench) error {
			_, err := b.Promote(ctx, aloft.PromoteInput{From: aloft.StageRef{App: production.App, Stage: "staging"}, To: production}, b.events)
			return err
		},
		"restart": func(ctx context.Context, b *bench) error {
			_, err := b.Restart(ctx, production, b.events)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, map[string]string{"run": "one"})
			b.AWS = &aloft.AWS{Regions: []string{"eu-west-1"}}
			in := b.input()
			in.Stage.Stage, in.Platform = "staging", aloft.OnAWS
			if _, err := b.Deploy(t.Context(), in, b.events); err != nil {
				t.Fatal(err)
			}
			b.write(t, map[string]string{"run": "two"})
			b.up(t)
			b.Platform = &foresight{platform: b.platform, said: lossOf(aloft.Remove)}
			before := b.serving()
			err := do(t.Context(), b)
			loss, ok := errors.AsType[*aloft.LossError](err)
			if releases, _ := b.apps.Releases(t.Context(), production, 0); !ok || len(releases) != 1 {
				t.Fatalf("%d releases, %v", len(releases), err)
			}
			if stage, err := b.apps.Stage(t.Context(), production); err != nil || len(stage.Domains) > 0 || b.serving().Version != before.Version {
				t.Errorf("something was done: %+v, %v", stage, err)
			}
			b.Consent = deploy.Consent{Plan: loss.Plan.ID}
			if err := do(t.Context(), b); err != nil {
				t.Errorf("by the plan: %v", err)
			}
		})
	}
}

// A deploy of what a stopped stage, or one that crashed, has already asks, too: all of it is made to serve anew.
func TestLossesOfTheSame(t *testing.T) {
	t.Parallel()
	for name, down := range map[string]func(*bench) error{
		"stopped": func(b *bench) error { return b.Stop(t.Context(), production) },
		"crashed": func(b *bench) error {
			b.platform.instances = []aloft.Instance{{State: aloft.Crashed, Release: 1}}
			return nil
		},
	} {
		for _, planned := range []bool{false, true} {
			b := newBench(t, map[string]string{"run": "one"})
			b.up(t)
			if err := down(b); err != nil {
				t.Fatal(err)
			}
			f := &foresight{platform: b.platform, said: lossOf(aloft.Remove)}
			b.Platform = f
			in := b.input()
			if planned {
				plan, err := b.Plan(t.Context(), in, b.events)
				if err != nil {
					t.Fatal(err)
				}
				in.Plan = plan.ID
			}
			_, err := b.Deploy(t.Context(), in, b.events)
			loss, ok := errors.AsType[*aloft.LossError](err)
			if releases, _ := b.apps.Releases(t.Context(), production, 0); !ok || len(releases) != 1 {
				t.Fatalf("%s: %d releases, %v", name, len(releases), err)
			}
			b.Consent = deploy.Consent{Plan: loss.Plan.ID}
			if _, err := b.Deploy(t.Context(), in, b.events); err != nil {
				t.Errorf("%s: by the plan: %v", name, err)
			}
			b.Consent = deploy.Consent{Plan: "1-x-y"}
			f.said.State = "moved"
			if err := down(b); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Deploy(t.Context(), b.input(), b.events); aloft.ErrorCode(err) != aloft.Conflict {
				t.Errorf("%s: by another plan: %v", name, err)
			}
		}
	}
}

// What CloudFormation refuses nobody can agree to: the hint says how it goes, with the name that the source has for it.
func TestRefusedLoss(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one", "aloft.yml": "resources: {orders: {type: table, key: name}}\n"})
	said := lossOf(aloft.Modify)
	lost := &said.Regions[0].Resources[2]
	lost.Name, lost.Replace, lost.Causes, lost.Refused = production.ResourceName(aloft.Resource{Name: "orders"}), aloft.ReplaceAlways, []string{"KeySchema"}, true
	b.Platform = &foresight{platform: b.platform, said: said}
	_, err := b.Deploy(t.Context(), b.input(), b.events)
	if e := fails(t, err, aloft.Invalid, "cannot replace"); !strings.Contains(e.Hint, "another name than orders below resources") || strings.Contains(e.Hint, "--yes") {
		t.Errorf("the hint is %q", e.Hint)
	}
}

// Nor can anybody agree to another type under one logical id, with --yes or by a plan.
func TestRetypedLoss(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	said := lossOf(aloft.Modify)
	lost := &said.Regions[0].Resources[2]
	lost.Replace, lost.Causes, lost.Refused, lost.Was = aloft.ReplaceAlways, []string{"Type"}, true, "AWS::SQS::Queue"
	b.Platform = &foresight{platform: b.platform, said: said}
	_, err := b.Deploy(t.Context(), b.input(), b.events)
	if e := fails(t, err, aloft.Invalid, "makes nothing else of "+lost.ID); !strings.Contains(e.Detail, "take the place of AWS::SQS::Queue") || !strings.Contains(e.Hint, "aws.ids") {
		t.Errorf("the hint is %q, the detail %q", e.Hint, e.Detail)
	}
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
