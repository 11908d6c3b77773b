package hostile_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/aloftest"
	"github.com/aloft-run/aloft/internal/awstest"
)

func newAWSEmulator(t *testing.T) (*awstest.Cloud, *awsProxy) {
	t.Helper()
	cloud := awstest.Emulator(t)
	cloud.NeedMiniStack(t)
	return cloud, newAWSProxy(t, cloud.Endpoint)
}

// TestAWSWrongAccount: with credentials of another account AWS is asked whose they are, and nothing else.
func TestAWSWrongAccount(t *testing.T) {
	t.Parallel()
	cloud, proxy := newAWSEmulator(t)
	s := newAWSShop(t, cloud, proxy, 1, 1)
	s.write(t, "aloft.yml", "name: shop\nstages: {production: {platform: aws, aws: {region: eu-west-1, account: \"999999999999\"}}}\n")
	for _, args := range [][]string{{"up", "production"}, {"destroy", "production", "--yes"}, {"unlock", "production"}, {"config", "set", "A=b", "--stage", "production"}} {
		o := s.aloft(awsPlan{kind: noFault}, args...)
		names, _ := proxy.seen()
		if o.status != 2 || !strings.Contains(o.said, "999999999999") || strings.Count(o.said, "hint: ") != 1 {
			t.Errorf("%v: status %d\n%s", args, o.status, o.said)
		}
		if !slices.Equal(names, []string{"GetCallerIdentity"}) {
			t.Errorf("%v asked AWS for %q", args, names)
		}
	}
	s.noServer()
}

// TestAWSHung: a request to which no answer comes is given up and sent again.
func TestAWSHung(t *testing.T) {
	t.Parallel()
	cloud, proxy := newAWSEmulator(t)
	s := newAWSShop(t, cloud, proxy, 1, 1)
	o := s.aloft(awsPlan{kind: hung, at: 2}, "up", "production")
	if _, hit := proxy.seen(); o.status != 0 || hit == "" {
		t.Errorf("status %d after %v, %q was not answered\n%s", o.status, o.took, hit, o.said)
	}
	t.Logf("a deploy with one request that is not answered took %v", o.took.Round(time.Second))
}

// TestAWSLock: two deploys at once come one after the other; the lock of one that was killed is waited for, or taken by the one
// command that is said.
func TestAWSLock(t *testing.T) {
	t.Parallel()
	cloud, proxy := newAWSEmulator(t)
	s := newAWSShop(t, cloud, proxy, 1, 1)
	s.up()
	s.twoAtOnce()

	s.edit(t, "killed")
	if o := s.aloft(awsPlan{kind: killAfter, all: "POST functions/versions"}, "up", "production"); o.status != -1 {
		t.Fatalf("it was not killed: status %d\n%s", o.status, o.said)
	}
	s.edit(t, "waiting")
	waits, said := s.Command(t.Context(), s.dir, "up", "production"), &aloftest.Output{}
	waits.Stderr = said
	proxy.begin(awsPlan{kind: noFault}, nil)
	if err := waits.Start(); err != nil {
		t.Fatal(err)
	}
	if !full() { // else it is waited for, for a minute
		aloftest.Eventually(t, time.Minute, func() error { return saysUnlock(said) })
		if o := s.good("unlock", "production", "--json"); !strings.Contains(o.out, `"owner": "`) {
			t.Errorf("unlock --json: %s", o.out)
		}
	}
	began := time.Now()
	if err := waits.Wait(); err != nil {
		t.Errorf("the deploy that waited: %v\n%s", err, said)
	}
	t.Logf("it waited for %v", time.Since(began).Round(time.Second))
	if err := saysUnlock(said); err != nil {
		t.Error(err)
	}
	if s.look(); strings.TrimSpace(s.now) != "waiting" {
		t.Errorf("the app says %q", s.now)
	}
	s.history()
	if o := s.aloft(awsPlan{kind: noFault}, "unlock", "production"); o.status != 2 || !strings.Contains(o.said, "nobody holds the lock") {
		t.Errorf("unlock of what is not locked: status %d\n%s", o.status, o.said)
	}
}

// twoAtOnce deploys twice at the same time.
func (s *awsShop) twoAtOnce() {
	s.t.Helper()
	s.proxy.begin(awsPlan{kind: noFault}, nil)
	s.edit(s.t, "both")
	said := [2]*aloftest.Output{{}, {}}
	errs := [2]error{}
	var wait sync.WaitGroup
	for i := range said {
		wait.Go(func() {
			cmd := s.Command(s.t.Context(), s.dir, "up", "production", "--force")
			cmd.Stderr = said[i]
			errs[i] = cmd.Run()
		})
	}
	wait.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		s.t.Errorf("two at once: %v\n%s\n%s", err, said[0], said[1])
	}
	if a, b := saysUnlock(said[0]), saysUnlock(said[1]); a != nil && b != nil {
		s.t.Errorf("neither waited:\n%s\n%s", said[0], said[1])
	}
	if s.look(); s.now != "both" {
		s.t.Errorf("the app says %q", s.now)
	}
	s.history()
}

// saysUnlock returns nil if a deploy says that it waits for another, and what ends the wait.
func saysUnlock(said *aloftest.Output) error {
	if text := said.String(); !strings.Contains(text, "waiting for it") || !strings.Contains(text, "aloft unlock") {
		return fmt.Errorf("it does not say that it waits: %s", text)
	}
	return nil
}
