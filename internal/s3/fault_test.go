package s3_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/awstest"
	"github.com/aloft-run/aloft/internal/s3"
)

// faults fails one call, or all from one on as for a process that was killed.
type faults struct {
	calls atomic.Int64
	at    int64
	after bool   // the call reaches S3 and its answer is lost
	dead  bool   // all later calls fail too
	then  func() // is done before the caller learns of the failure
}

var errFault = errors.New("the connection broke")

func (f *faults) RoundTrip(request *http.Request) (*http.Response, error) {
	n := f.calls.Add(1)
	switch {
	case n < f.at, n > f.at && !f.dead:
		return http.DefaultTransport.RoundTrip(request)
	case n == f.at && f.after:
		answer, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			return nil, err
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
	if n == f.at && f.then != nil {
		f.then()
	}
	return nil, errFault
}

func (f *faults) String() string {
	return fmt.Sprintf("call %d, after %v, dead %v", f.at, f.after, f.dead)
}

// store is one whose SDK tries a call up to attempts times, without waiting.
func (f *faults) store(config aws.Config, bucket string, attempts int) *s3.Store {
	config.HTTPClient = &http.Client{Transport: f}
	config.RetryMaxAttempts = attempts
	config.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
	return s3.NewStore(s3.Open(config, bucket, "123456789012"), "ada@laptop (pid 1)")
}

// eachFault calls try with a fault at the first call, the second, and so on, until there is no such call.
func eachFault(t *testing.T, try func(t *testing.T, f *faults)) {
	t.Helper()
	const most = 100
	for kind := range 4 {
		for at := int64(1); ; at++ {
			f := &faults{at: at, after: kind&1 != 0, dead: kind&2 != 0}
			try(t, f)
			if f.calls.Load() < at {
				break
			}
			if at == most {
				t.Fatal("no end of calls")
			}
		}
	}
}

func check(t *testing.T, what any, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v: %v", what, err)
	}
}

func change(ref aloft.StageRef, who string) aloft.Release {
	return aloft.Release{StageRef: ref, Kind: aloft.DeployRelease, Author: who, Artifact: aloft.Artifact{Digest: who}}
}

// served is a stage with one succeeded release.
func served(t *testing.T, config aws.Config) (bucket string, clean *s3.Store) {
	t.Helper()
	b := makeBucket(t, config)
	clean = s3.NewStore(b, "eve@ci (pid 3)")
	check(t, "CreateApp", clean.CreateApp(t.Context(), aloft.App{Name: web.App, Key: []byte("key")}))
	check(t, "CreateStage", clean.CreateStage(t.Context(), aloft.Stage{StageRef: web}))
	made, err := clean.CreateRelease(t.Context(), change(web, "first"))
	check(t, "CreateRelease", err)
	check(t, "FinishRelease", clean.FinishRelease(t.Context(), web, made.Version, ""))
	return b.Name(), clean
}

// TestEveryCallFails: whatever call fails, in whatever way, what was acknowledged is there, nothing is half done, and the next
// deploy goes on.
func TestEveryCallFails(t *testing.T) {
	t.Parallel()
	config := fake(t)
	eachFault(t, func(t *testing.T, f *faults) {
		t.Helper()
		bucket, clean := served(t, config)
		faulty := f.store(config, bucket, 1)
		made, createErr := faulty.CreateRelease(t.Context(), change(web, "second"))
		finishErr := errors.New("not tried")
		if createErr == nil {
			finishErr = faulty.FinishRelease(t.Context(), web, made.Version, "")
		}
		stage, err := clean.Stage(t.Context(), web)
		check(t, f, err)
		releases, err := clean.Releases(t.Context(), web, 0)
		check(t, f, err)
		newest := releases[0]
		switch {
		case len(releases) > 2:
			t.Errorf("%v: one CreateRelease made %d", f, len(releases)-1)
		case createErr == nil && (made.Version != 2 || newest.Version != 2 || newest.Author != "second"):
			t.Errorf("%v: acknowledged v%d, found %+v", f, made.Version, newest)
		case finishErr == nil && stage.Current != 2:
			t.Errorf("%v: acknowledged as current, found %d", f, stage.Current)
		case (stage.Current == 2) != (newest.Version == 2 && newest.Status == aloft.Succeeded):
			t.Errorf("%v: half done: current %d, v%d is %s", f, stage.Current, newest.Version, newest.Status)
		}
		goOn(t, f, clean, newest)
	})
}

// goOn does what the next deploy does.
func goOn(t *testing.T, f *faults, clean *s3.Store, newest aloft.Release) {
	t.Helper()
	if newest.Status == aloft.Pending {
		check(t, f, clean.FinishRelease(t.Context(), web, newest.Version, "interrupted"))
	}
	made, err := clean.CreateRelease(t.Context(), change(web, "third"))
	check(t, f, err)
	check(t, f, clean.FinishRelease(t.Context(), web, made.Version, ""))
	wantHistory(t, clean, made.Version)
}

// wantHistory checks that there are releases 1 to n, and that the current one is the last that succeeded.
func wantHistory(t *testing.T, store *s3.Store, n int) {
	t.Helper()
	releases, err := store.Releases(t.Context(), web, 0)
	check(t, "Releases", err)
	stage, err := store.Stage(t.Context(), web)
	check(t, "Stage", err)
	digests, err := store.Digests(t.Context())
	check(t, "Digests", err)
	if len(releases) != n {
		t.Errorf("%d releases, want %d", len(releases), n)
	}
	for i, r := range releases {
		if r.Version != n-i || !digests[r.Artifact.Digest] {
			t.Errorf("at %d there is v%d of %s", i, r.Version, r.Artifact.Digest)
		}
	}
	if at := slices.IndexFunc(releases, func(r aloft.Release) bool { return r.Version == stage.Current }); at < 0 || releases[at].Status != aloft.Succeeded {
		t.Errorf("v%d is current", stage.Current)
	}
}

// TestLostAnswers: with the SDK's further tries no single failure reaches the user, and nothing is done twice, even if others
// write before we learn of it.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	config := fake(t)
	for _, others := range []bool{false, true} {
		for _, attempts := range []int{1, 3} {
			eachFault(t, func(t *testing.T, f *faults) {
				t.Helper()
				if f.dead || attempts == 1 && !f.after { // see TestEveryCallFails
					f.at = 1 << 30
					return
				}
				bucket, clean := served(t, config)
				expect := 2
				if others {
					f.then = func() {
						expect++
						_, err := clean.CreateRelease(t.Context(), change(web, "other"))
						check(t, f, err)
					}
				}
				faulty := f.store(config, bucket, attempts)
				made, err := faulty.CreateRelease(t.Context(), change(web, "second"))
				if attempts == 1 && aloft.ErrorCode(err) == aloft.Unavailable {
					return // a read failed: nothing was written
				}
				check(t, f, err)
				got, err := clean.Release(t.Context(), web, made.Version)
				check(t, f, err)
				if got.Author != "second" {
					t.Errorf("%v: v%d is of %s", f, made.Version, got.Author)
				}
				if err = faulty.FinishRelease(t.Context(), web, made.Version, ""); attempts == 3 {
					check(t, f, err)
					wantHistory(t, clean, expect)
				}
			})
		}
	}
}

// TestLostAnswersElsewhere does the same for all other changes.
func TestLostAnswersElsewhere(t *testing.T) {
	t.Parallel()
	config := fake(t)
	eachFault(t, func(t *testing.T, f *faults) {
		t.Helper()
		if f.dead {
			f.at = 1 << 30
			return
		}
		ctx := t.Context()
		bucket, _ := served(t, config)
		s := f.store(config, bucket, 3)
		beta := aloft.StageRef{App: "api", Stage: "beta"}
		check(t, f, s.CreateApp(ctx, aloft.App{Name: "api", Key: []byte("key")}))
		check(t, f, s.CreateStage(ctx, aloft.Stage{StageRef: beta}))
		check(t, f, s.UpdateStage(ctx, aloft.Stage{StageRef: beta, Domains: []string{"a.example"}, Stopped: true}))
		_, err := s.CreateAlias(ctx, aloft.Alias{StageRef: web, Name: "live", Version: 1})
		check(t, f, err)
		check(t, f, s.DeleteAlias(ctx, web, "", "live"))
		check(t, f, s.DeleteStage(ctx, beta))
		check(t, f, s.DeleteApp(ctx, "api"))
		_, unlock, err := s.Lock(ctx, web, aloft.Discard{})
		check(t, f, err)
		unlock()
		if _, err := s.Break(ctx, web); aloft.ErrorCode(err) != aloft.NotFound {
			t.Errorf("%v: the lock is left: %v", f, err)
		}
	})
}

// TestWriters: many writers of two processes never make the same version and never lose a release.
func TestWriters(t *testing.T) {
	t.Parallel()
	t.Run("fake", func(t *testing.T) {
		t.Parallel()
		testWriters(t, fake(t))
	})
	t.Run("emulator", func(t *testing.T) {
		t.Parallel()
		testWriters(t, awstest.Emulator(t).Config)
	})
}

func testWriters(t *testing.T, config aws.Config) {
	t.Helper()
	const writers, each = 3, 4
	bucket, clean := served(t, config)
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := map[int]string{1: "first"}
	for _, process := range []string{"ada", "bob"} {
		store := s3.NewStore(s3.Open(config, bucket, "123456789012"), process)
		for writer := range writers {
			wg.Go(func() {
				for i := range each {
					name := fmt.Sprint(process, writer, i)
					release, err := store.CreateRelease(t.Context(), change(web, name))
					if err != nil {
						t.Error(err)
						return
					}
					if err := store.FinishRelease(t.Context(), web, release.Version, []string{"", "failed"}[i%2]); err != nil {
						t.Error(err)
					}
					mu.Lock()
					if made[release.Version] != "" {
						t.Errorf("v%d twice", release.Version)
					}
					made[release.Version] = name
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	wantHistory(t, clean, 2*writers*each+1)
	releases, err := clean.Releases(t.Context(), web, 0)
	check(t, "Releases", err)
	for _, r := range releases {
		if r.Author != made[r.Version] || r.Status == aloft.Pending {
			t.Errorf("v%d is %s, of %q, want %q", r.Version, r.Status, r.Author, made[r.Version])
		}
	}
}
