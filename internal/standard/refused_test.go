package standard_test

import (
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/events"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/resource/topic"
	"github.com/aloft-run/aloft/internal/standard"
)

// theirs is a server where a release of the app shop names a topic and a bucket of another app.
type theirs struct {
	*testing.T

	dir     string
	all     *standard.Resources
	sources eventsource.Set
	release aloft.Release
	events  atomic.Int64  // that came to shop
	refused chan struct{} // a source of shop was
}

// Invoke implements aloft.Invoker.
func (s *theirs) Invoke(context.Context, aloft.InvokeInput) (aloft.Invoked, error) {
	s.events.Add(1)
	return aloft.Invoked{}, nil
}

func (s *theirs) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *theirs) until(what string, is func() bool) {
	s.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatal(what)
		}
	}
}

func openTheirs(t *testing.T) *theirs {
	t.Helper()
	s := &theirs{T: t, dir: t.TempDir(), refused: make(chan struct{}, 1000)}
	var err error
	s.all, err = standard.OpenResources(t.Context(), standard.ResourceOptions{Dir: s.dir, Logger: slog.New(slog.DiscardHandler)})
	s.must(err)
	t.Cleanup(func() { _ = s.all.Close() })
	s.sources = standard.EventSources(s.all.Sourced())
	work := aloft.Function{Name: "work", Kind: aloft.Handler}
	for _, r := range []resource.Type{s.all.Topics, s.all.Buckets} {
		s.must(r.Provision(t.Context(), resource.Claim{Owner: aloft.StageRef{App: "owner", Stage: aloft.Production}, Name: "theirs"}))
		work.EventSources = append(work.EventSources, resource.ARN(r.Kind(), "theirs"))
	}
	s.release = aloft.Release{StageRef: aloft.StageRef{App: "shop", Stage: aloft.Production}, Version: 1, Functions: []aloft.Function{work}}
	return s
}

// runner runs what it is given, with what looks whether it may.
func (s *theirs) runner(allowed func(ctx context.Context, ref aloft.StageRef, source string) error) *events.Runner {
	return events.New(events.Options{
		Sources: s.sources, Invoker: s, Allowed: allowed, Log: func(aloft.StageRef, aloft.LogLine) { s.refused <- struct{}{} },
	})
}

// occur has something happen to the topic and the bucket.
func (s *theirs) occur() {
	s.Helper()
	_, err := s.all.Topics.Publish(s.Context(), "theirs", topic.Message{Body: "secret"})
	s.must(err)
	_, err = s.all.Buckets.Put(s.Context(), "theirs", "secret", nil, strings.NewReader("x"), nil)
	s.must(err)
}

// change changes a database as another process may.
func (s *theirs) change(file, statement string) {
	s.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, file)+"?_pragma=busy_timeout(10000)")
	s.must(err)
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(s.Context(), statement)
	s.must(err)
}

// left is how much a database keeps for who listens, and how many do.
func (s *theirs) left(file, listeners string) (n int) {
	s.Helper()
	db, err := sql.Open("sqlite", filepath.Join(s.dir, file))
	s.must(err)
	defer func() { _ = db.Close() }()
	s.must(db.QueryRowContext(s.Context(), `SELECT (SELECT COUNT(*) FROM outbox) + (SELECT COUNT(*) FROM `+listeners+`)`).Scan(&n))
	return n
}

// TestRefused: a release from before that names what is another's gets nothing of it any more, and nothing is kept for it, whether
// its stage runs or is stopped. What the server's key subscribed goes on.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(s *theirs, r *events.Runner){
		"running": func(s *theirs, r *events.Runner) {
			r.Use(s.release)
			for range s.release.Functions[0].EventSources {
				<-s.refused
			}
		},
		"stopped": func(s *theirs, r *events.Runner) { r.Know(s.release) },
		"of an older server": func(s *theirs, r *events.Runner) {
			s.change("topics.db", `UPDATE subscriptions SET attributes = json_remove(attributes, '$.aloft') WHERE attributes ->> 'aloft' = 'source'`)
			r.Know(s.release)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openTheirs(t)
			r := s.runner(nil)
			r.Use(s.release)
			s.until("no event comes", func() bool { s.occur(); return s.events.Load() > 5 })
			s.must(r.Close(context.Background()))
			s.occur() // kept for the function
			before := s.events.Load()
			r = s.runner(s.all.Allowed(s.sources))
			defer func() { s.must(r.Close(context.Background())) }()
			use(s, r)
			s.occur()
			if topics, buckets := s.left("topics.db", "subscriptions"), s.left("buckets.db", "watchers"); topics+buckets != 0 {
				t.Errorf("%d rows of the topic are left, %d of the bucket", topics, buckets)
			}
			_, err := s.all.Topics.Subscribe(t.Context(), topic.Subscription{
				Topic: "theirs", Protocol: topic.ToFunction, Endpoint: "arn:aws:lambda:us-east-1:000000000000:function:shop-work",
			})
			s.must(err)
			use(s, r) // refused again
			s.occur()
			s.until("what the key subscribed is gone", func() bool { return s.events.Load() > before })
			if n := s.events.Load() - before; n != 1 {
				t.Errorf("%d events came, want that of the key's subscription", n)
			}
		})
	}
}
