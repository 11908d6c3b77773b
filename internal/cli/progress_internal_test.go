package cli

import (
	"bytes"
	"os/user"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aws"
	"github.com/aloft-run/aloft/internal/metrics"
)

// TestWarningOfLines: each line of a warning is a line.
func TestWarningOfLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := (&program{err: &out}).newProgress()
	p.Report(aloft.Warning{Text: "it answers 500:\nweb: KeyError\x1b[31m\nweb: no price"})
	p.Report(aloft.Warning{Text: "one line"})
	p.end(false, "")
	if got, want := out.String(), "! warning: it answers 500:\n  | web: KeyError\n  | web: no price\n! warning: one line\n"; got != want {
		t.Errorf("it prints\n%s, want\n%s", got, want)
	}
}

// TestTailOfLog: what follows the end of a log is a line of its own, however the log ends.
func TestTailOfLog(t *testing.T) {
	t.Parallel()
	for _, tail := range []string{"n: 9", "n: 9\n"} {
		var out, said bytes.Buffer
		p := &program{out: &out, err: &said}
		if err := p.printInvocation("work", aloft.Invoked{LogTail: []byte(tail), Payload: []byte("{}"), Release: 1, RequestID: "r", Elapsed: time.Second}); err != nil {
			t.Fatal(err)
		}
		if got := said.String(); !strings.HasPrefix(got, "n: 9\nwork v1 answered") {
			t.Errorf("after %q it says %q", tail, got)
		}
	}
}

// TestAuthors: who releases is who the environment says, else on AWS whose the credentials are, else who the system says.
func TestAuthors(t *testing.T) {
	t.Parallel()
	me, err := user.Current()
	if err != nil {
		t.Skip("the system does not know who runs this test: ", err)
	}
	for caller, want := range map[string]string{
		"arn:aws:iam::111122223333:user/team/ada":                  "ada",
		"arn:aws:sts::111122223333:assumed-role/deploy/GitHub-481": "GitHub-481",
		"arn:aws:iam::111122223333:root":                           "root",
	} {
		p := &program{env: map[string]string{}}
		onAWS := &awsBackend{program: p, session: &aws.Session{Caller: caller}}
		if got := p.authorOn(onAWS); got != want {
			t.Errorf("%s is called %q, want %q", caller, got, want)
		}
		if got := p.authorOn(nil); got != me.Username {
			t.Errorf("here it is %q, want %q", got, me.Username)
		}
		p.env["LOGNAME"] = "eve"
		if got := p.authorOn(onAWS); got != "eve" {
			t.Errorf("LOGNAME is left out for %q", got)
		}
	}
}

// TestUnits: times say in what they are.
func TestUnits(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := (&program{out: &out}).printMetrics(metrics.Report{Gateways: []metrics.Gateway{{Region: "eu-west-1"}}}); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "AVERAGE MS") != 2 || strings.Count(out.String(), "P99 MS") != 2 {
		t.Errorf("no unit:\n%s", &out)
	}
}
