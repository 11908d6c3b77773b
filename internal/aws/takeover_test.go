package aws_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aws"
	"github.com/aloft-run/aloft/internal/stack"
)

// stackLike is a stack by its description, its tags and its status.
func stackLike(description, tag, status string) string {
	return fmt.Sprintf("<Stacks><member><StackName>Theirs</StackName><StackId>arn:aws:cloudformation:eu-west-1:1:stack/Theirs/x</StackId><Description>%s</Description>"+
		"<Tags><member><Key>%s</Key><Value>x</Value></member></Tags><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>%s</StackStatus></member></Stacks>", description, tag, status)
}

// meeting is a world whose stage has a release that names the stack Theirs, and met answers about it.
func meeting(t *testing.T, answers map[string][]string) (*query, *world, *aws.Platform, aloft.Release) {
	t.Helper()
	answers[""] = []string{"ResourceNotFoundException"}
	q, config := fake(t, answers)
	w, session := worldOf(t, config)
	next := w.release("one")
	next.AWS.Stack = "Theirs"
	platform := aws.New(aws.Options{
		Session: session, Releases: w.apps, Render: stack.Render, Objects: func(string) aws.Objects { return nil },
		Shim: func(context.Context, string) (aws.Shim, error) { return aws.Shim{Digest: "shim"}, nil },
	})
	return q, w, platform, next
}

// TestTakeOver: a stack that nothing says is aloft's is planned to become the stage's; one of another stage, and one that is half
// made, is not, and neither is one that would lose a store.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	const plain = `{"Resources": {"Old": {"Type": "AWS::Lambda::Function"}}}`
	const store = `{"Resources": {"Items": {"Type": "AWS::DynamoDB::Table"}}}`
	for name, c := range map[string]struct {
		stack, template string
		says            string // of the error; "" is none
	}{
		"theirs":     {stackLike("their shop", "team", "UPDATE_ROLLBACK_COMPLETE"), plain, ""},
		"repairable": {stackLike("their shop", "team", "UPDATE_ROLLBACK_FAILED"), plain, ""},
		"stage":      {stackLike("x", "aloft:stage", "CREATE_COMPLETE"), plain, "is not this one of aloft"},
		"ours":       {stackLike("aloft: other/production", "team", "CREATE_COMPLETE"), plain, "is not this one of aloft"},
		"half":       {stackLike("their shop", "team", "ROLLBACK_COMPLETE"), plain, "which aloft did not make, is ROLLBACK_COMPLETE"},
		"store":      {stackLike("their shop", "team", "CREATE_COMPLETE"), store, "Items (AWS::DynamoDB::Table) is deleted"},
		"nested":     {stackLike("their shop", "team", "CREATE_COMPLETE"), `{"Resources": {"Items": {"Type": "AWS::CloudFormation::Stack"}}}`, "Items (AWS::CloudFormation::Stack) is deleted"},
		"snapshot":   {stackLike("their shop", "team", "CREATE_COMPLETE"), `{"Resources": {"Items": {"Type": "AWS::Redshift::Cluster", "DeletionPolicy": "Snapshot"}}}`, "Items (AWS::Redshift::Cluster) is deleted"},
		"unheard of": {stackLike("their shop", "team", "CREATE_COMPLETE"), `{"Resources": {"Items": {"Type": "Others::Own::Store"}}}`, "Items (Others::Own::Store) is deleted"},
		"retained":   {stackLike("their shop", "team", "CREATE_COMPLETE"), `{"Resources": {"Old": {"Type": "AWS::Lambda::Function"}, "Items": {"Type": "AWS::FSx::FileSystem", "DeletionPolicy": "Retain"}}}`, ""},
		"yaml":       {stackLike("their shop", "team", "CREATE_COMPLETE"), "no template", "cannot be said"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, platform, next := meeting(t, map[string][]string{"DescribeStacks": {c.stack}, "GetTemplate": {"<TemplateBody>" + c.template + "</TemplateBody>"}})
			preview, err := platform.Preview(t.Context(), aloft.PreviewInput{Next: next})
			if c.says != "" {
				if aloft.ErrorCode(err) != aloft.Conflict || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			losses := fmt.Sprint(aloft.Plan{Preview: &preview}.Losses())
			if !preview.Regions[0].Adopts || !strings.Contains(losses, "the stack Theirs is none of aloft's, and becomes it") || !strings.Contains(losses, "Old (AWS::Lambda::Function) is deleted") {
				t.Errorf("%+v\n%s", preview.Regions[0], losses)
			}
		})
	}
}

// TestDestroyOfNeverTaken: a stack that a release named and that did not become the stage's is left alone, and does not keep the
// stage from going. No other release is made for one that is another stage's.
func TestDestroyOfNeverTaken(t *testing.T) {
	t.Parallel()
	for description, check := range map[string]aloft.Code{"their shop": "", "aloft: other/production": aloft.Conflict} {
		q, w, platform, next := meeting(t, map[string][]string{
			"DescribeStacks": {stackLike(description, "team", "UPDATE_ROLLBACK_COMPLETE")}, "GetTemplate": {"<TemplateBody>{}</TemplateBody>"},
		})
		next.Version = 0
		made, err := w.apps.CreateRelease(t.Context(), next)
		w.must(err)
		w.must(w.apps.FinishRelease(t.Context(), w.ref, made.Version, "a test"))
		if err := platform.Remove(t.Context(), w.ref); aloft.ErrorCode(err) == aloft.Conflict { // of what else there is the fake knows nothing
			t.Error(err)
		}
		if slices.ContainsFunc(q.asked, func(one string) bool { return strings.HasPrefix(one, "DeleteStack") }) {
			t.Errorf("the stack of others was deleted: %q", q.asked)
		}
		if _, err := platform.Check(t.Context(), next); (err == nil) != (check == "") || check != "" && aloft.ErrorCode(err) != check {
			t.Errorf("a release for a stack %q: %v", description, err)
		}
	}
}

// noBucket is where nothing can be put.
type noBucket struct{ aws.Objects }

func (noBucket) Has(context.Context, string) (bool, error) { return false, nil }

func (noBucket) Put(context.Context, string, int64, func() (io.ReadCloser, error)) error {
	return errors.New("there is no bucket")
}

// TestLargePlan: a template that is too long for a request is not asked about before there is a bucket to put it into.
func TestLargePlan(t *testing.T) {
	t.Parallel()
	_, config := fake(t, map[string][]string{
		"DescribeStacks": {stackLike("their shop", "team", "CREATE_COMPLETE"), "!ValidationError Stack with id aloft does not exist"}, "ListChangeSets": {""},
		"GetTemplate": {"<TemplateBody>{\"Resources\": {\"Old\": {\"Type\": \"AWS::Lambda::Function\"}}}</TemplateBody>"}, "": {"ResourceNotFoundException"},
	})
	w, session := worldOf(t, config)
	next := w.release("one")
	next.AWS.Stack = "Theirs"
	platform := aws.New(aws.Options{
		Session: session, Releases: w.apps, Objects: func(string) aws.Objects { return noBucket{} },
		Shim: func(context.Context, string) (aws.Shim, error) { return aws.Shim{Digest: "shim"}, nil },
		Render: func(in stack.Input) (stack.Output, error) {
			out, err := stack.Render(in)
			out.Template.Description += strings.Repeat("x", 60_000)
			return out, err
		},
	})
	preview, err := platform.Preview(t.Context(), aloft.PreviewInput{Next: next, Deep: true})
	if err != nil || !strings.Contains(fmt.Sprint(preview.Regions), "too long to be asked about") {
		t.Errorf("%+v %v", preview.Regions, err)
	}
}
