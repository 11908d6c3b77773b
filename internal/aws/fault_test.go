package aws_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/awstest"
)

// fault is how a request goes wrong.
type fault string

const (
	none      fault = ""
	throttle  fault = "throttle"
	broken    fault = "500"
	denied    fault = "access denied"
	lost      fault = "answer lost"   // AWS did it, nobody knows
	interrupt fault = "interrupt"     // Ctrl-C
	killed    fault = "killed before" // the process ends; this request and all later ones are never sent
	killedBy  fault = "killed after"  // the same, but AWS did this one
)

func faults() []fault { return []fault{throttle, broken, denied, lost, interrupt, killed, killedBy} }

// faulty lets the request number at go wrong, the first is 1.
type faulty struct {
	base  sdk.HTTPClient
	mu    sync.Mutex
	kind  fault
	at    int
	count int
	dead  bool
	which string // the request that went wrong
	stop  context.CancelFunc
}

var errCut = errors.New("connection reset by a test")

func (f *faulty) RoundTrip(request *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.count++
	hit, dead := f.kind != none && f.count == f.at, f.dead
	if hit {
		f.which = nameOf(request)
		f.dead = f.kind == killed || f.kind == killedBy
	}
	f.mu.Unlock()
	switch {
	case dead || hit && f.kind == killed:
		return nil, errCut
	case !hit:
	case f.kind == throttle:
		return refusal(request, http.StatusBadRequest, "ThrottlingException", "Rate exceeded"), nil
	case f.kind == broken:
		return refusal(request, http.StatusInternalServerError, "InternalFailure", "we broke"), nil
	case f.kind == denied:
		return refusal(request, http.StatusForbidden, "AccessDeniedException", "User: arn:aws:iam::1:user/x is not authorized to perform: "+f.which+" on resource: *"), nil
	case f.kind == interrupt:
		f.stop()
	}
	answer, err := f.base.Do(request)
	if hit && err == nil && (f.kind == lost || f.kind == killedBy) {
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		return nil, errCut
	}
	return answer, err
}

// nameOf is what a request asks for, as well as its protocol tells.
func nameOf(request *http.Request) string {
	if target := request.Header.Get("X-Amz-Target"); target != "" {
		return target
	}
	if strings.HasPrefix(request.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		text, err := io.ReadAll(request.Body)
		request.Body = io.NopCloser(bytes.NewReader(text))
		if form, formErr := url.ParseQuery(string(text)); errors.Join(err, formErr) == nil {
			return form.Get("Action")
		}
	}
	return request.Method + " " + request.URL.Path
}

// refusal is an error in the protocol of the request's service.
func refusal(request *http.Request, status int, code, message string) *http.Response {
	header := http.Header{}
	var body string
	switch {
	case request.Header.Get("X-Amz-Target") != "":
		header.Set("Content-Type", "application/x-amz-json-1.1")
		body = fmt.Sprintf(`{"__type":%q,"message":%q}`, code, message)
	case strings.HasPrefix(request.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		header.Set("Content-Type", "text/xml")
		body = fmt.Sprintf("<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>", code, message)
	case strings.HasPrefix(request.URL.Path, "/aloft-"):
		header.Set("Content-Type", "application/xml")
		body = fmt.Sprintf("<Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
	default:
		header.Set("Content-Type", "application/json")
		header.Set("X-Amzn-ErrorType", code)
		body = fmt.Sprintf(`{"Type":"User","Message":%q}`, message)
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: request,
	}
}

// scenario is a deploy in which something goes wrong, on top of what came before.
type scenario struct {
	name   string
	before func(w *world) // leaves the stage saying want
	change func(w *world) aloft.Release
	old    string
	want   string
}

func scenarios() []scenario {
	return []scenario{
		{"first", func(*world) {}, func(w *world) aloft.Release { return w.release("one") }, "", "one red"},
		{"code", func(w *world) { w.up("one") }, func(w *world) aloft.Release { return w.release("two") }, "one red", "two red"},
		{
			"stack after code",
			func(w *world) { w.up("zero"); w.up("one") },
			func(w *world) aloft.Release { w.set("COLOR", "blue"); return w.release("two") }, "one red", "two blue",
		},
	}
}

// TestFaults lets each request of a deploy go wrong. What served goes on serving, the next deploy succeeds, and nothing is left
// over. By default every fourth request fails in one way, another for the next; ALOFT_FAULTS=all tries all ways for all, in half an
// hour.
func TestFaults(t *testing.T) {
	t.Parallel()
	cloud := awstest.Emulator(t)
	cloud.NeedMiniStack(t)
	region := 0
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			fresh := func(t *testing.T) *world {
				t.Helper()
				region++
				w := newWorld(t, cloud, fmt.Sprintf("eu-test-%d", region)) // as good as an account of its own
				s.before(w)
				return w
			}
			total := count(t, fresh(t), s)
			tried := 0
			for at := 1; at <= total; at++ {
				kinds := faults()
				if os.Getenv("ALOFT_FAULTS") != "all" {
					if at%4 != 0 {
						continue
					}
					kinds = kinds[at/4%len(kinds):][:1]
				}
				for _, kind := range kinds {
					tried++
					if !t.Run(fmt.Sprintf("%d %s", at, kind), func(t *testing.T) { fails(fresh(t), s, kind, at) }) {
						return
					}
				}
			}
			t.Logf("%d requests, %d faults", total, tried)
		})
	}
}

// count is how many requests a deploy makes.
func count(t *testing.T, w *world, s scenario) int {
	t.Helper()
	f := &faulty{}
	w.connectThrough(f)
	w.must(w.apply(t.Context(), s.change(w)))
	w.expect(s.want)
	return f.count
}

func (w *world) connectThrough(f *faulty) {
	w.Helper()
	config := w.cloud.Config.Copy()
	f.base = config.HTTPClient
	config.HTTPClient = &http.Client{Transport: f}
	w.connect(config)
}

// fails lets one request of a deploy go wrong, and looks at what is left.
func fails(w *world, s scenario, kind fault, at int) {
	w.Helper()
	release := s.change(w)
	ctx, cancel := context.WithCancel(w.Context())
	defer cancel()
	f := &faulty{stop: cancel, kind: kind, at: at + 1} // the first is the session's
	w.connectThrough(f)
	err := w.attempt(ctx, release, kind == killed || kind == killedBy)
	w.reconnect()
	if err == nil {
		w.expect(s.want)
	} else {
		w.coded(err, f)
	}
	w.sweep(release)
	stage, stageErr := w.apps.Stage(w.Context(), w.ref)
	w.must(stageErr)
	switch {
	case s.old != "" && stage.Current != release.Version && kind != interrupt && kind != killed && kind != killedBy:
		w.expect(s.old)
	case stage.Current == release.Version:
		w.expect(s.want)
	}
	w.up("three")
	_, color, _ := strings.Cut(s.want, " ")
	w.expect("three " + color)
	if got := w.stacks(w.regions[0]); len(got) != 2 || !strings.HasSuffix(got["hello-production"], "_COMPLETE") {
		w.Errorf("stacks: %v", got)
	}
	if got := w.functions(w.regions[0]); !slices.Equal(got, []string{"hello-web"}) {
		w.Errorf("functions: %v", got)
	}
	if w.Failed() {
		w.Logf("%s of %s; the deploy said: %v", kind, f.which, err)
	}
}

// coded checks that an error says what to do.
func (w *world) coded(err error, f *faulty) {
	w.Helper()
	e, ours := errors.AsType[*aloft.Error](err)
	if !ours || e.Hint == "" && e.Code != aloft.Canceled {
		w.Errorf("%s of %s: an error without a next step: %v", f.kind, f.which, err)
	}
}

// attempt applies a release. A process that is killed writes nothing down.
func (w *world) attempt(ctx context.Context, release aloft.Release, dies bool) error {
	w.report = &reports{}
	err := w.platform.Apply(ctx, release, w.report, func(ctx context.Context) error {
		return w.apps.FinishRelease(ctx, w.ref, release.Version, "")
	})
	if err != nil && !dies {
		w.must(w.apps.FinishRelease(w.Context(), w.ref, release.Version, err.Error()))
	}
	return err
}

// sweep is what the next command does first with a release that was never finished.
func (w *world) sweep(release aloft.Release) {
	w.Helper()
	now, err := w.apps.Release(w.Context(), w.ref, release.Version)
	w.must(err)
	if now.Status != aloft.Pending {
		return
	}
	serves, err := w.platform.Settled(w.Context(), now, aloft.Discard{})
	w.must(err)
	reason := "interrupted"
	if serves {
		reason = ""
	}
	w.must(w.apps.FinishRelease(w.Context(), w.ref, release.Version, reason))
}
