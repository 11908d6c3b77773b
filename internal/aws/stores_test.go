package aws_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aws"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/stack"
	"github.com/aloft-run/aloft/internal/standard"
)

// withStores lets the releases that come have a table.
func (w *world) withStores() { w.withResources(aloft.Resource{Name: "items", Type: aloft.Table}) }

// withResources lets the releases that come have some.
func (w *world) withResources(all ...aloft.Resource) {
	w.render = func(in stack.Input) (stack.Output, error) {
		in.Kinds = standard.CloudKinds()
		in.Sources = func(uri string) (eventsource.Source, error) {
			return nil, fmt.Errorf("no sources in this test: %s", uri)
		}
		in.Release.Resources = all
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
	if strings.Contains(w.report.String(), "is taken into") {
		t.Errorf("what is gone is said to be taken in:\n%s", w.report)
	}
	if len(left) != 0 {
		t.Errorf("what stays though its data goes: %+v\n%s", left, report)
	}
}

// TestBucketStays removes a stage with a bucket and a table, and deploys it again: AWS refuses to create a bucket that is there, so
// the stack takes both in, with what they hold. The change after that finds nothing to take in.
func TestBucketStays(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.withResources(aloft.Resource{Name: "items", Type: aloft.Table}, aloft.Resource{Name: "uploads", Type: aloft.Bucket})
	w.up("one")
	report := &reports{}
	client := s3.NewFromConfig(w.in(home), func(o *s3.Options) { o.UsePathStyle = true })
	listed, err := client.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	w.must(err)
	bucket := ""
	for _, one := range listed.Buckets {
		if strings.HasPrefix(*one.Name, "hello-uploads") {
			bucket = *one.Name
		}
	}
	_, err = client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: new("kept"), Body: strings.NewReader("x")})
	w.must(err)
	left, err := w.platform.Destroy(t.Context(), w.ref, false, report)
	w.must(err)
	if len(left) != 2 || !strings.Contains(report.String(), "stays: arn:aws:s3:::"+bucket) || !strings.Contains(report.String(), "stays: arn:aws:dynamodb") {
		t.Errorf("what stays: %+v\n%s", left, report)
	}
	w.forget()
	w.up("two")
	w.expect("two red")
	if got := strings.Count(w.report.String(), "is taken into the stack hello-production"); got != 2 {
		t.Errorf("%d stores were taken in:\n%s", got, w.report)
	}
	if _, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: new("kept")}); err != nil {
		t.Errorf("what the bucket held: %v", err)
	}
	w.set("COLOR", "blue")
	w.up("three")
	w.expect("three blue")
	if strings.Contains(w.report.String(), "is taken into") {
		t.Errorf("taken in again:\n%s", w.report)
	}
	left, err = w.platform.Destroy(t.Context(), w.ref, true, report)
	w.must(err)
	if len(left) != 0 {
		t.Errorf("what stays though its data goes: %+v\n%s", left, report)
	}
}

// emptied is a bucket of the emulator that says which others it was asked to empty.
type emptied struct {
	aws.Objects

	mu  *sync.Mutex
	all *[]string
}

func (e emptied) Empty(_ context.Context, bucket string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	*e.all = append(*e.all, bucket)
	return nil
}

// TestDeleteDataOfDeclared: destroy --delete-data empties what aloft.yml declares. What the section cloudformation retains stays as it
// is, and is listed; a bucket that the section has the stack take with it is emptied first.
func TestDeleteDataOfDeclared(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.withResources(aloft.Resource{Name: "uploads", Type: aloft.Bucket})
	declared := w.render
	w.render = func(in stack.Input) (stack.Output, error) {
		in.Release.AWS.CloudFormation = []byte(`{"Resources": {
			"Theirs": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": "theirs-kept"}},
			"Once": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "RetainExceptOnCreate", "Properties": {"BucketName": "theirs-once"}},
			"Scratch": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "theirs-scratch"}},
			"Setting": {"Type": "AWS::SSM::Parameter", "DeletionPolicy": "Retain", "Properties": {"Name": "theirs-setting", "Type": "String", "Value": "x"}}}}`)
		return declared(in)
	}
	w.up("one")
	all, plain := []string{}, w.options.Objects
	e := emptied{mu: &sync.Mutex{}, all: &all}
	w.options.Objects = func(region string) aws.Objects { return emptied{plain(region), e.mu, e.all} }
	report := &reports{}
	left, err := aws.New(w.options).Destroy(t.Context(), w.ref, true, report)
	w.must(err)
	slices.Sort(all)
	if all = slices.Compact(all); len(all) != 2 || !strings.HasPrefix(all[0], "hello-uploads") || all[1] != "theirs-scratch" {
		t.Errorf("emptied: %q", all)
	}
	stays := fmt.Sprint(left)
	for _, name := range []string{"theirs-kept", "theirs-once", "theirs-setting"} {
		if !strings.Contains(stays, name) {
			t.Errorf("%s is not said to stay: %s\n%s", name, stays, report)
		}
	}
	if strings.Contains(stays, "theirs-scratch") || strings.Contains(stays, "hello-uploads") || strings.Contains(stays, ":function:") {
		t.Errorf("what went is said to stay: %s", stays)
	}
}

// TestDeclaredAgain takes a table out of the app and puts it in again. It stayed, with its name, so AWS refuses to create it
// (MiniStack does not): the stack must import what is there.
func TestDeclaredAgain(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	without := w.render
	w.withStores()
	with := w.render
	w.up("one")
	w.render = without
	w.up("two")
	w.render = with
	w.up("three")
	w.expect("three red")
	if !strings.Contains(w.report.String(), "is taken into the stack hello-production") {
		t.Errorf("a table that is there was created:\n%s", w.report)
	}
}

// TestNamesWhatIsWrong has CloudFormation find a change impossible before it begins: its reason only refers to where that is told.
func TestNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.up("one")
	client := s3.NewFromConfig(w.in(home), func(o *s3.Options) { o.UsePathStyle = true })
	_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: new("taken"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: home},
	})
	w.must(err)
	w.with("", map[string]cfn.Resource{"Taken": {Type: "AWS::S3::Bucket", Properties: map[string]any{"BucketName": "taken"}}})
	if err := w.failing("two", "Taken (AWS::S3::Bucket)"); strings.Contains(err.Error(), "DescribeEvents") {
		t.Error(err)
	}
}

// TestInUse finds the code that a stack has, whoever has its records.
func TestInUse(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	release := w.release("one")
	w.must(w.apply(t.Context(), release))
	used, err := w.platform.InUse(t.Context(), home)
	w.must(err)
	if !used[release.Artifact.Digest] {
		t.Errorf("in use: %v", used)
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
