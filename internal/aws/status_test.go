package aws_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aws"
	"github.com/aloft-run/aloft/internal/metrics"
)

// TestStatusOfFirst: of a stage whose first deploy failed its functions, what they printed and its stack are there to look at.
func TestStatusOfFirst(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	if err := w.apply(t.Context(), w.release("dead")); err == nil {
		t.Fatal("a release that cannot answer serves")
	}
	seen, err := w.platform.Look(t.Context(), w.ref)
	w.must(err)
	if seen.Serves || seen.Newest.Version != 1 || seen.Newest.Status != aloft.Broken || seen.Newest.Reason == "" {
		t.Errorf("the newest release is %+v", seen.Newest)
	}
	if len(seen.Stacks) != 1 || seen.Stacks[0].Status != "CREATE_COMPLETE" || seen.Stacks[0].Release != 1 || !strings.Contains(seen.Stacks[0].Hint, "aloft up production goes on from there") {
		t.Errorf("stacks: %+v", seen.Stacks)
	}
	if all := seen.Status.Instances; len(all) != 1 || all[0].Release != 1 || all[0].Function != "web" {
		t.Errorf("instances: %+v", all)
	}
	if status, err := w.platform.Status(t.Context(), w.ref); err != nil || status.URL != "" || seen.Status.URL != "" {
		t.Errorf("nothing serves at %q, %v", status.URL, err)
	}

	w.log("2026/11/29/[1]aaaa", "no database")
	var lines []string
	for line, err := range w.platform.Logs(t.Context(), aloft.LogQuery{Stage: w.ref}) {
		w.must(err)
		lines = append(lines, fmt.Sprint(line.Region, " v", line.Release, " ", line.Text))
	}
	if text := strings.Join(lines, "\n"); !strings.Contains(text, home+" v1 no database") {
		t.Errorf("the log is %q", text)
	}
	report, err := w.platform.Metrics(t.Context(), w.ref, metrics.GridOf(time.Hour, time.Minute, time.Now()))
	w.must(err)
	if len(report.Functions) != 1 || report.Functions[0].Function != "web" {
		t.Errorf("metrics of %+v", report.Functions)
	}

	w.up("one")
	if seen, err = w.platform.Look(t.Context(), w.ref); err != nil || !seen.Serves || seen.Status.URL == "" || seen.Status.Instances[0].Release != 2 {
		t.Errorf("after a release that serves: %+v, %v", seen, err)
	}
}

// TestStatusOfRolledBack: CloudFormation took back the first stack, or it is not there at all: there is nothing to ask Lambda for.
func TestStatusOfRolledBack(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		stackIs("ROLLBACK_COMPLETE"):                                     "ROLLBACK_COMPLETE it was not made whole: aloft up production deletes it and makes it again",
		"!ValidationError Stack with id hello-production does not exist": " nothing was made, or it was taken back: aloft up production makes it",
	} {
		_, config := fake(t, map[string][]string{"DescribeStacks": {answer}})
		w, session := worldOf(t, config)
		w.must(w.apps.FinishRelease(t.Context(), w.ref, w.release("one").Version, "the role cannot be made"))
		platform := aws.New(aws.Options{Session: session, Releases: w.apps, Objects: func(string) aws.Objects { return nil }})
		seen, err := platform.Look(t.Context(), w.ref)
		w.must(err)
		if seen.Serves || seen.Newest.Reason != "the role cannot be made" || len(seen.Status.Instances) != 0 {
			t.Errorf("seen: %+v", seen)
		}
		if got := seen.Stacks[0].Status + " " + seen.Stacks[0].Hint; got != want {
			t.Errorf("the stack is said to be %q, want %q", got, want)
		}
	}
}

// TestStatusOfTrial: while a release is tried both versions are there, with what each gets, and after it one, with all.
func TestStatusOfTrial(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t, "eu-west-1", "us-east-1")
	w.up("one")
	look := func() string {
		seen, err := w.platform.Look(t.Context(), w.ref)
		w.must(err)
		text := fmt.Sprintf("v%d %s", seen.Newest.Version, seen.Newest.Status)
		for _, i := range seen.Status.Instances {
			text += fmt.Sprintf("; %s v%d %s %v%s", i.ID, i.Release, i.State, i.Share, i.Reason)
		}
		return text
	}
	during := ""
	w.must(w.try(t.Context(), w.release("two"), brief, func() { during = look() }))
	if want := "v2 pending; eu-west-1/hello-web:1 v1 ready 0.9; eu-west-1/hello-web:2 v2 ready 0.1; us-east-1/hello-web:1 v1 ready 0.9; us-east-1/hello-web:2 v2 ready 0.1"; during != want {
		t.Errorf("during the trial:\n%s, want\n%s", during, want)
	}
	if got, want := look(), "v2 succeeded; eu-west-1/hello-web:2 v2 ready 0; us-east-1/hello-web:2 v2 ready 0"; got != want {
		t.Errorf("after the trial:\n%s, want\n%s", got, want)
	}
}
