package lambdaapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lambdaapi"
	"github.com/aloft-run/aloft/internal/mem"
)

// state is a store that can be lent and have a stage that cannot be read. It has no documents.
type state struct {
	mem.Store

	lent   atomic.Bool
	looks  atomic.Int64
	broken aloft.StageRef
}

func (s *state) here() error {
	if s.lent.Load() {
		return aloft.Errorf(aloft.Unavailable, "the aloft server is being replaced by another one")
	}
	return nil
}

func (s *state) Meta(context.Context, string) ([]byte, error)             { return nil, s.here() }
func (s *state) Metas(context.Context, string) (map[string][]byte, error) { return nil, s.here() }
func (s *state) SetMeta(context.Context, string, []byte) error            { return s.here() }
func (s *state) DeleteMeta(context.Context, string) error                 { return s.here() }

func (s *state) Stages(ctx context.Context, app string) ([]aloft.Stage, error) {
	s.looks.Add(1)
	if err := s.here(); err != nil {
		return nil, err
	}
	return s.Store.Stages(ctx, app)
}

func (s *state) Release(ctx context.Context, ref aloft.StageRef, version int) (aloft.Release, error) {
	if ref == s.broken {
		return aloft.Release{}, errors.New("release v1: unexpected end of JSON input")
	}
	return s.Store.Release(ctx, ref, version)
}

// Serve says what it would lead to.
func (*state) Serve(w http.ResponseWriter, _ *http.Request, to lambdaapi.HTTPTarget) {
	_, _ = fmt.Fprint(w, to.StageRef, " ", to.Function)
}

// deploy makes a stage whose function has an URL, and returns its id.
func (s *state) deploy(t *testing.T, ref aloft.StageRef) (id string) {
	t.Helper()
	ctx := t.Context()
	_ = s.CreateApp(ctx, aloft.App{Name: ref.App, CreatedAt: time.Now()}) // there is one for all stages
	err := s.CreateStage(ctx, aloft.Stage{StageRef: ref, CreatedAt: time.Now()})
	var r aloft.Release
	if err == nil {
		r, err = s.CreateRelease(ctx, aloft.Release{StageRef: ref, Functions: []aloft.Function{{Name: "hello", Kind: aloft.Handler, URL: &aloft.FunctionURL{}}}})
	}
	if err == nil {
		err = s.FinishRelease(ctx, ref, r.Version, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	return ref.URLID("hello")
}

func ask(a *lambdaapi.API, id string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "http://"+id+lambdaapi.URLHost+"/", nil)
	w := httptest.NewRecorder()
	a.ServeURL(w, r, r.Clone(r.Context()))
	return w
}

func (s *state) api(log *bytes.Buffer) *lambdaapi.API {
	return lambdaapi.New(lambdaapi.Options{Apps: s, Docs: s, HTTP: s, Logger: slog.New(slog.NewTextHandler(log, nil))})
}

// TestLent: while another server has the state, URLs answer as they did; at worst clients are told to ask again.
func TestLent(t *testing.T) {
	t.Parallel()
	s := &state{}
	id := s.deploy(t, aloft.StageRef{App: "shop", Stage: "production"})
	a := s.api(&bytes.Buffer{})
	answers := func(want int, of string) {
		t.Helper()
		w := ask(a, of)
		if w.Code != want || want == http.StatusOK && w.Body.String() != "shop/production hello" || (want == http.StatusServiceUnavailable) != (w.Header().Get("Retry-After") != "") {
			t.Errorf("%d %s %v, not %d", w.Code, w.Body, w.Header(), want)
		}
	}
	nobody := strings.Repeat("a", 32)
	answers(http.StatusOK, id)
	answers(http.StatusForbidden, nobody)
	s.lent.Store(true)
	answers(http.StatusServiceUnavailable, id)
	s.lent.Store(false)
	if err := a.HoldURLs(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.lent.Store(true)
	answers(http.StatusOK, id)
	answers(http.StatusServiceUnavailable, nobody)
	a.DropURLs()
	answers(http.StatusServiceUnavailable, id)
	s.lent.Store(false)
	answers(http.StatusOK, id)
}

// TestStrangers: those who ask for what there is not cause few looks at the state, and keep nobody from a new URL.
func TestStrangers(t *testing.T) {
	t.Parallel()
	s := &state{}
	a := s.api(&bytes.Buffer{})
	began := time.Now()
	var wg sync.WaitGroup
	for i := range 500 {
		wg.Go(func() {
			if w := ask(a, fmt.Sprintf("%032d", i)); w.Code != http.StatusForbidden {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	wg.Wait()
	if n, most := s.looks.Load(), 2+int64(time.Since(began)/(50*time.Millisecond)); n > most {
		t.Errorf("they caused %d looks, %d are the most", n, most)
	}
	for i := range 3 {
		ref := aloft.StageRef{App: "shop", Stage: fmt.Sprint("s", i)}
		if w := ask(a, s.deploy(t, ref)); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", ref, w.Code, w.Body)
		}
	}
}

// TestUnreadable: one stage that cannot be read does not take the URLs of others away.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	s := &state{broken: aloft.StageRef{App: "shop", Stage: "broken"}}
	gone, id := s.deploy(t, s.broken), s.deploy(t, aloft.StageRef{App: "shop", Stage: "production"})
	var log bytes.Buffer
	a := s.api(&log)
	if w := ask(a, id); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	s.deploy(t, aloft.StageRef{App: "shop", Stage: "staging"})
	if w := ask(a, gone); w.Code == http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if n := strings.Count(log.String(), "shop/broken"); n != 1 {
		t.Errorf("it was said %d times: %s", n, log.String())
	}
}
