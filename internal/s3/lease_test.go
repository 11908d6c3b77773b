package s3_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/s3"
)

const lockOfWeb = "/locks/web/staging.json"

// rewrite writes the lock of web once more, changed or not, whatever it is.
func rewrite(t *testing.T, config aws.Config, bucket string, change func([]byte) []byte) {
	t.Helper()
	r, key := rawOf(config, bucket), "state"+lockOfWeb
	r.put(t, key, change(r.get(t, key)))
}

func same(data []byte) []byte { return data }

// ofEve is a lock as if eve had taken it.
func ofEve(data []byte) []byte {
	return []byte(strings.NewReplacer("ada@laptop", "eve@laptop", `"token":"`, `"token":"EVE`).Replace(string(data)))
}

// eachRewrite tries something with a lock that is written once more at some time: the same, or as another's.
func eachRewrite(t *testing.T, try func(t *testing.T, config aws.Config, bucket string, own bool, again func())) {
	t.Helper()
	for name, change := range map[string]func([]byte) []byte{"own": same, "another's": ofEve} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := fake(t)
			bucket := makeBucket(t, config).Name()
			try(t, config, bucket, name == "own", func() { rewrite(t, config, bucket, change) })
		})
	}
}

// sleeper is a machine that a test can have slept: the clock that goes on while it sleeps is ahead of the other then.
type sleeper struct{ slept atomic.Int64 }

func (s *sleeper) wall() time.Time { return time.Now().Add(time.Duration(s.slept.Load())) }

// TestSleptThroughLease: a machine wakes up after its lock ended. Its other clock stood still, so that the next renewal is not due
// for long.
func TestSleptThroughLease(t *testing.T) {
	t.Parallel()
	const life, asleep = 30 * time.Second, 2 * time.Minute
	tests := []struct {
		name string
		wake func(t *testing.T, bob *s3.Store, cable *hung)
		code aloft.Code // "": the lock is held on
	}{
		{"another has it", func(t *testing.T, bob *s3.Store, _ *hung) { t.Helper(); mustLock(t, bob) }, aloft.Conflict},
		{"no network", func(_ *testing.T, _ *s3.Store, cable *hung) { cable.up.Store(true) }, aloft.Unavailable},
		{"nobody has it", func(*testing.T, *s3.Store, *hung) {}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			config := fake(t)
			bucket := makeBucket(t, config).Name()
			machine, cable := &sleeper{}, &hung{renewed: make(chan struct{}, 100)}
			ada := s3.NewStore(s3.Open(hook(cable.pass).over(config), bucket, "123456789012"), "ada@laptop (pid 1)")
			ada.SetTerms(life, 10*time.Millisecond)
			ada.SetWall(machine.wall)
			bob, clock := member(config, bucket, "bob@ci (pid 2)")
			clock.ahead.Store(int64(asleep / time.Second))
			held, unlock := mustLock(t, ada)
			defer unlock()
			<-cable.renewed // taken
			test.wake(t, bob, cable)
			due := time.After(life / 4) // the clock that stood still has the renewal due at a third
			machine.slept.Store(int64(asleep))
			if test.code == "" {
				select {
				case <-cable.renewed:
				case <-due:
					t.Error("a lock is not renewed when its holder wakes up")
				}
				if held.Err() != nil {
					t.Errorf("lost: %v", context.Cause(held))
				}
				return
			}
			select {
			case <-held.Done():
				if cause := context.Cause(held); aloft.ErrorCode(cause) != test.code {
					t.Errorf("cause: %v", cause)
				}
			case <-due:
				t.Error("who slept through the lease goes on")
			}
		})
	}
}

// hung is a network in which requests can hang.
type hung struct {
	up      atomic.Bool
	renewed chan struct{} // writes of the lock
}

func (h *hung) pass(r *http.Request) (*http.Response, error) {
	if h.up.Load() {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && is(r, http.MethodPut, lockOfWeb) && answer.StatusCode == http.StatusOK {
		h.renewed <- struct{}{}
	}
	return answer, err
}

// TestRenewalFindsAnotherWrite: a renewal that S3 refuses, as the object was written since. If the bytes are the holder's, the answer
// to its last renewal was lost; else the lock is another's.
func TestRenewalFindsAnotherWrite(t *testing.T) {
	t.Parallel()
	eachRewrite(t, func(t *testing.T, config aws.Config, bucket string, own bool, again func()) {
		t.Helper()
		var refused atomic.Int64
		renewed := make(chan struct{}, 100)
		watch := hook(func(r *http.Request) (*http.Response, error) {
			answer, err := http.DefaultTransport.RoundTrip(r)
			if err == nil && is(r, http.MethodPut, lockOfWeb) {
				if answer.StatusCode == http.StatusPreconditionFailed {
					refused.Add(1)
				} else if refused.Load() > 0 {
					renewed <- struct{}{}
				}
			}
			return answer, err
		})
		ada := s3.NewStore(s3.Open(watch.over(config), bucket, "123456789012"), "ada@laptop (pid 1)")
		ada.SetTerms(3*time.Second, 10*time.Millisecond)
		held, unlock := mustLock(t, ada)
		defer unlock()
		again()
		select {
		case <-renewed:
			if !own {
				t.Error("renewed the lock of another")
			}
		case <-held.Done():
			if cause := context.Cause(held); own || aloft.ErrorCode(cause) != aloft.Conflict {
				t.Errorf("lost: %v", cause)
			}
			return
		}
		<-renewed // with the ETag of that
		if n := refused.Load(); n != 1 {
			t.Errorf("%d renewals were refused", n)
		}
	})
}

// TestUnlockAfterAnotherWrite: what unlock finds was written since. The holder's own bytes are a renewal without an answer and go;
// another's lock stays.
func TestUnlockAfterAnotherWrite(t *testing.T) {
	t.Parallel()
	eachRewrite(t, func(t *testing.T, config aws.Config, bucket string, own bool, again func()) {
		t.Helper()
		ada := s3.NewStore(s3.Open(config, bucket, "123456789012"), "ada@laptop (pid 1)")
		ada.SetTerms(time.Hour, 10*time.Millisecond)
		told := make(notices, 10)
		got := <-lockLater(t, ada, told)
		check(t, "Lock", got.err)
		again()
		got.unlock()
		if len(told) > 0 {
			t.Errorf("said %q", <-told)
		}
		switch holder, err := ada.Break(t.Context(), web); {
		case own && aloft.ErrorCode(err) != aloft.NotFound:
			t.Errorf("the lock is left: %v, %v", holder, err)
		case !own && holder.Owner != "eve@laptop (pid 1)":
			t.Errorf("the lock of another is gone: %v, %v", holder, err)
		}
	})
}

// TestBreakRaces: the lock is written between the look and the deletion. If it was renewed it is broken all the same; if another
// took it meanwhile, that is not what was meant.
func TestBreakRaces(t *testing.T) {
	t.Parallel()
	eachRewrite(t, func(t *testing.T, config aws.Config, bucket string, own bool, again func()) {
		t.Helper()
		ada := s3.NewStore(s3.Open(config, bucket, "123456789012"), "ada@laptop (pid 1)")
		mustLock(t, ada)
		late := false
		between := hook(func(r *http.Request) (*http.Response, error) {
			if is(r, http.MethodDelete, lockOfWeb) && !late {
				late = true
				again()
			}
			return nil, nil //nolint:nilnil // the request goes on
		})
		bob := s3.NewStore(s3.Open(between.over(config), bucket, "123456789012"), "bob@ci (pid 2)")
		holder, err := bob.Break(t.Context(), web)
		left, leftErr := bob.Break(t.Context(), web)
		switch {
		case !late:
			t.Error("nothing was deleted")
		case own && (err != nil || holder.Owner != "ada@laptop (pid 1)" || aloft.ErrorCode(leftErr) != aloft.NotFound):
			t.Errorf("broke %v, %v; then there was %v, %v", holder, err, left, leftErr)
		case !own && (aloft.ErrorCode(err) != aloft.NotFound || left.Owner != "eve@laptop (pid 1)"):
			t.Errorf("broke %v, %v; then there was %v, %v", holder, err, left, leftErr)
		}
	})
}

// refusal is S3's answer to a conditional write that lost: 412 when the other is there, 409 while both are under way.
func refusal(r *http.Request, status int) *http.Response {
	code := map[int]string{http.StatusConflict: "ConditionalRequestConflict", http.StatusPreconditionFailed: "PreconditionFailed"}[status]
	body := "<Error><Code>" + code + "</Code><Message>a test</Message></Error>"
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/xml"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}
}

// TestRefusedWrites has S3 refuse each kind of object of the state some times: all that is written is tried again, and done once.
func TestRefusedWrites(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusConflict, http.StatusPreconditionFailed} {
		for _, end := range []string{"/index.json", "/stage.json", "/releases/1.json", lockOfWeb} {
			for _, times := range []int{1, 2} {
				t.Run(fmt.Sprint(status, end, times), func(t *testing.T) {
					t.Parallel()
					config := fake(t)
					bucket, clean := served(t, config)
					var refusals atomic.Int64
					refuse := hook(func(r *http.Request) (*http.Response, error) {
						if is(r, http.MethodPut, end) && refusals.Add(1) <= int64(times) {
							return refusal(r, status), nil
						}
						return nil, nil //nolint:nilnil // the request goes on
					})
					store := s3.NewStore(s3.Open(refuse.over(config), bucket, "123456789012"), "ada@laptop (pid 1)")
					check(t, "UpdateStage", store.UpdateStage(t.Context(), aloft.Stage{StageRef: web, Domains: []string{"a.example"}}))
					_, unlock := mustLock(t, store)
					made, err := store.CreateRelease(t.Context(), change(web, "second"))
					check(t, "CreateRelease", err)
					check(t, "FinishRelease", store.FinishRelease(t.Context(), web, made.Version, ""))
					unlock()
					wantHistory(t, clean, 2)
					stage, err := clean.Stage(t.Context(), web)
					check(t, "Stage", err)
					if refusals.Load() <= int64(times) || len(stage.Domains) != 1 {
						t.Errorf("%d writes of %s; domains %q", refusals.Load(), end, stage.Domains)
					}
				})
			}
		}
	}
}

// TestRefusedForEver: a release whose predecessor cannot be stored is not made.
func TestRefusedForEver(t *testing.T) {
	t.Parallel()
	config := fake(t)
	bucket, clean := served(t, config)
	refuse := hook(func(r *http.Request) (*http.Response, error) {
		if is(r, http.MethodPut, "/releases/1.json") {
			return refusal(r, http.StatusConflict), nil
		}
		return nil, nil //nolint:nilnil // the request goes on
	})
	store := s3.NewStore(s3.Open(refuse.over(config), bucket, "123456789012"), "ada@laptop (pid 1)")
	if _, err := store.CreateRelease(t.Context(), change(web, "second")); aloft.ErrorCode(err) != aloft.Unavailable {
		t.Errorf("CreateRelease: %v", err)
	}
	wantHistory(t, clean, 1)
}
