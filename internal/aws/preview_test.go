package aws_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/awstest"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/resource/table"
	"github.com/aloft-run/aloft/internal/stack"
)

// withTables makes a world's stacks have tables.
func (w *world) withTables() {
	w.render = func(in stack.Input) (stack.Output, error) {
		in.Kinds = []resource.Cloud{table.Cloud{}}
		return stack.Render(in)
	}
}

// tables appends a release with a table, which web may read.
func (w *world) tables(message, key string) aloft.Release {
	w.Helper()
	plain := w.release(message)
	w.must(w.apps.FinishRelease(w.Context(), w.ref, plain.Version, "only a pattern"))
	plain.Resources = []aloft.Resource{{Name: "orders", Type: aloft.Table, Options: map[string]string{"key": key}}}
	plain.Functions[0].Uses = []string{"orders:read"}
	made, err := w.apps.CreateRelease(w.Context(), plain)
	w.must(err)
	return made
}

// preview says what a release would do, and that asking changes nothing.
func (w *world) preview(next aloft.Release) aloft.Preview {
	w.Helper()
	before := w.stacks(home)
	stage, err := w.apps.Stage(w.Context(), w.ref)
	w.must(err)
	in := aloft.PreviewInput{Next: next, Config: w.configs[next.Config.Version]}
	if stage.Current > 0 {
		in.Current, err = w.apps.Release(w.Context(), w.ref, stage.Current)
		w.must(err)
	}
	shallow, err := w.platform.Preview(w.Context(), in)
	w.must(err)
	in.Deep = true
	deep, err := w.platform.Preview(w.Context(), in)
	w.must(err)
	if shallow.State != deep.State || shallow.Outcome != deep.Outcome || fmt.Sprint(aloft.Plan{Preview: &shallow}.Losses()) != fmt.Sprint(aloft.Plan{Preview: &deep}.Losses()) {
		w.Errorf("what a deploy compares with is not what was shown:\n%+v\n%+v", shallow, deep)
	}
	if after := w.stacks(home); fmt.Sprint(after) != fmt.Sprint(before) {
		w.Errorf("stacks %v before the preview, %v after it", before, after)
	}
	for name := range before {
		sets, err := cloudformation.NewFromConfig(w.in(home)).ListChangeSets(w.Context(), &cloudformation.ListChangeSetsInput{StackName: &name})
		w.must(err)
		for _, set := range sets.Summaries {
			if strings.Contains(*set.ChangeSetName, "-plan-") {
				w.Errorf("the change set %s is left", *set.ChangeSetName)
			}
		}
	}
	text, err := json.Marshal(deep)
	w.must(err)
	for _, value := range w.configs[next.Config.Version] {
		if strings.Contains(string(text), value) {
			w.Errorf("the preview has the value %q:\n%s", value, text)
		}
	}
	return deep
}

// lines are the changes of a preview that are no parts, in short.
func lines(p aloft.Preview) []string {
	var all []string
	for _, c := range p.Regions[0].Resources {
		if !c.Part {
			all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s %v", c.Action, c.ID, c.Replace, c.Causes)))
		}
	}
	return all
}

func TestPreview(t *testing.T) {
	t.Parallel()
	cloud := awstest.Emulator(t)
	cloud.NeedMiniStack(t)
	w := newWorld(t, cloud)
	w.withTables()
	w.configs = []aloft.Config{{"COLOR": "vermilion-7f3a"}}

	release := w.release("one")
	first := w.preview(release)
	if r := first.Regions[0]; !r.Account || r.CodeOnly || !r.ChangeSet || r.Status != "" || !slices.Contains(lines(first), "add WebFunction  []") {
		t.Errorf("before the first deploy: %+v", r)
	}
	if len(first.IAM) == 0 || first.IAM[0].Why == "" || first.IAM[0].Function != "web" || first.IAM[0].Action != aloft.Add {
		t.Errorf("permissions: %+v", first.IAM)
	}
	if first.Cost == nil || first.Cost.Million.Before != "0" || first.Cost.Million.After == "0" {
		t.Errorf("costs: %+v", first.Cost)
	}
	w.must(w.apply(t.Context(), release))

	again := w.preview(w.release("two"))
	if r := again.Regions[0]; !r.CodeOnly || r.ChangeSet || r.Account || len(r.Resources) > 0 || again.State == first.State {
		t.Errorf("other code: %+v", r)
	}

	more := w.tables("two", "id")
	added := w.preview(more)
	if got := lines(added); !slices.Contains(got, "add OrdersTable  []") || len(aloft.Plan{Preview: &added}.Losses()) > 0 {
		t.Errorf("with a table: %q", got)
	}
	if i := slices.IndexFunc(added.IAM, func(c aloft.PermissionChange) bool { return c.Why == "web uses orders:read" }); i < 0 || added.IAM[i].Action != aloft.Add {
		t.Errorf("permissions with a table: %+v", added.IAM)
	}
	w.must(w.apply(t.Context(), more))

	replaced := w.preview(w.tables("two", "name"))
	losses := aloft.Plan{Preview: &replaced}.Losses()
	if len(losses) != 1 || losses[0].ID != "OrdersTable" || losses[0].Replace == "" || losses[0].Kept != aloft.KeptWhole || !slices.Contains(losses[0].Causes, "KeySchema") {
		t.Errorf("with another key: %+v", losses)
	}

	gone := w.preview(w.release("two"))
	losses = aloft.Plan{Preview: &gone}.Losses()
	if len(losses) != 1 || !strings.Contains(losses[0].String(), "OrdersTable (AWS::DynamoDB::Table, hello-orders) stays, no longer managed") {
		t.Errorf("without the table: %v", losses)
	}
	if i := slices.IndexFunc(gone.IAM, func(c aloft.PermissionChange) bool { return c.Action == aloft.Remove }); i < 0 || gone.IAM[i].Why != "web uses orders:read" {
		t.Errorf("permissions without the table: %+v", gone.IAM)
	}
}

// TestPreviewFails has each request of a plan of a stage without a stack go wrong once. Nothing is left of it, unless all
// that failed was a request that cleans up.
func TestPreviewFails(t *testing.T) {
	t.Parallel()
	cloud := awstest.Emulator(t)
	cloud.NeedMiniStack(t)
	w := newWorld(t, cloud)
	next := w.release("one")
	for _, kind := range []fault{throttle, broken, denied, lost, interrupt} {
		for at := 1; ; at++ {
			ctx, cancel := context.WithCancel(t.Context())
			f := &faulty{kind: kind, at: at, stop: cancel}
			f.at++ // the first is the session's
			w.connectThrough(f)
			_, err := w.platform.Preview(ctx, aloft.PreviewInput{Next: next, Config: w.configs[0], Deep: true})
			cancel()
			if f.which == "" {
				w.must(err)
				if at < 8 {
					t.Errorf("a plan has %d requests only", at-1)
				}
				break
			}
			left := w.stacks(home)
			if len(left) > 0 && err != nil {
				t.Errorf("%s of request %d (%s), which ended with %v, left %v", kind, at, f.which, err, left)
			}
			for name := range left {
				_, err := cloudformation.NewFromConfig(cloud.Config).DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: &name})
				w.must(err)
			}
		}
	}
	w.reconnect()
	w.must(w.apply(t.Context(), next))
	w.expect("one red")
}

// A template that is too long for a request is in the bucket for as long as CloudFormation needs it.
func TestPreviewOfLongTemplates(t *testing.T) {
	t.Parallel()
	cloud := awstest.Emulator(t)
	cloud.NeedMiniStack(t)
	w := newWorld(t, cloud)
	w.up("one")
	w.render = func(in stack.Input) (stack.Output, error) {
		out, err := stack.Render(in)
		out.Template.Resources["Long"] = cfn.Resource{Type: "AWS::SQS::Queue", Metadata: map[string]any{"Text": strings.Repeat("x", 60_000)}}
		return out, err
	}
	if got := w.preview(w.release("two")); !got.Regions[0].ChangeSet || !slices.Contains(lines(got), "add Long  []") {
		t.Errorf("%+v", got.Regions[0])
	}
	bucket := w.options.Session.Bucket(home)
	found, err := s3.NewFromConfig(cloud.Config, func(o *s3.Options) { o.UsePathStyle = true }).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
	w.must(err)
	for _, object := range found.Contents {
		if strings.HasPrefix(*object.Key, "templates/") {
			t.Errorf("%s is left", *object.Key)
		}
	}
}
