package aws_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/stack"
	"github.com/aloft-run/aloft/internal/standard"
)

// withStores lets the releases that come have a table and a queue.
func (w *world) withStores() {
	w.render = func(in stack.Input) (stack.Output, error) {
		in.Kinds = standard.CloudKinds()
		in.Sources = func(uri string) (eventsource.Source, error) {
			return nil, fmt.Errorf("no sources in this test: %s", uri)
		}
		in.Release.Resources = []aloft.Resource{{Name: "items", Type: aloft.Table}}
		return stack.Render(in)
	}
}

// TestStoresStay removes a stage with a table, and deploys it again: the table is the same.
func TestStoresStay(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.withStores()
	w.up("one")
	report := &reports{}
	left, err := w.platform.Destroy(t.Context(), w.ref, false, report)
	w.must(err)
	tables := 0
	for _, store := range left {
		if strings.Contains(store.ARN, ":dynamodb:") {
			tables++
		}
	}
	if tables != 1 || !strings.Contains(report.String(), "stays: arn:aws:dynamodb") {
		t.Fatalf("what stays: %+v\n%s", left, report)
	}
	w.forget()
	w.up("two")
	w.expect("two red")
	if !strings.Contains(w.report.String(), "is taken into the stack hello-production") {
		t.Errorf("the table was not taken in:\n%s", w.report)
	}

	left, err = w.platform.Destroy(t.Context(), w.ref, true, report)
	w.must(err)
	w.forget()
	w.up("three") // AWS's list of tags may still have the table
	w.expect("three red")
	if len(left) != 0 {
		t.Errorf("what stays though its data goes: %+v\n%s", left, report)
	}
}

// forget makes the stage one that nothing happened to.
func (w *world) forget() {
	w.Helper()
	w.must(w.apps.DeleteStage(w.Context(), w.ref))
	w.must(w.apps.CreateStage(w.Context(), aloft.Stage{StageRef: w.ref}))
}

// TestLargeConfig puts what Lambda's environment has no room for into a secret, keeps the last ten, and removes it.
func TestLargeConfig(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	client := secretsmanager.NewFromConfig(w.in(home))
	large := func(n int) string { return strings.Repeat(string(rune('a'+n)), 5000) }
	const changes = 12
	for n := range changes {
		w.set("LARGE", large(n))
		w.up("one")
	}
	out, err := client.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: new("aloft/hello/production"), VersionStage: new(fmt.Sprintf("aloft-%d", changes))})
	if err != nil {
		f, _ := client.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: new("aloft/hello/production")})
		t.Fatal(err, f.VersionIdsToStages)
	}
	if !strings.Contains(*out.SecretString, large(changes-1)) {
		t.Error("the secret has not the last config")
	}
	found, err := client.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: new("aloft/hello/production")})
	w.must(err)
	labels := 0
	for _, all := range found.VersionIdsToStages {
		for _, label := range all {
			if strings.HasPrefix(label, "aloft-") {
				labels++
			}
		}
	}
	if labels != 10 {
		t.Errorf("%d labels: %v", labels, found.VersionIdsToStages)
	}
	w.must(w.platform.Remove(t.Context(), w.ref))
	if _, err := client.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: new("aloft/hello/production")}); err == nil {
		t.Error("the secret outlived the stage")
	}
}
