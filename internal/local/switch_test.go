package local_test

import (
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine/enginetest"
	"github.com/aloft-run/aloft/internal/porttest"
)

// load makes requests until it is stopped; every one must be answered.
func load(t *testing.T, w *world, clients int) (stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var mu sync.Mutex
	n := 0
	for i := range clients {
		path := "/"
		if i%4 == 0 {
			path = "/slow?20ms"
		}
		wg.Go(func() {
			for ctx.Err() == nil {
				got, err := w.get(t.Context(), host, path)
				if err != nil || (got != "slow" && !strings.HasPrefix(got, "v")) {
					t.Errorf("request: %q, %v", got, err)
					return
				}
				mu.Lock()
				n++
				mu.Unlock()
			}
		})
	}
	return func() int { cancel(); wg.Wait(); return n }
}

func TestNoRequestIsLost(t *testing.T) {
	fixed := porttest.Free(t)
	for _, c := range []struct {
		name    string
		command []string
		deploys int
	}{
		{"beside", enginetest.Child("listen", "tcp4:$PORT"), 12},
		{"on a port it insists on", enginetest.Child("listen", "tcp4:"+fixed), 6},
		{"on the assigned port and one of its own", enginetest.Child("listen", "tcp4:$PORT", "tcp4:"+fixed), 3},
		{"on the assigned port and later one of its own", enginetest.Child("late", "300ms", "tcp4:$PORT", "tcp4:"+lowPort(t)), 3},
		{"on a port it does not tell", append([]string{"sh", "-c", `"$0" "$@" 2>/dev/null; echo Address already in use; exit 1`},
			enginetest.Child("listen", "tcp4:$PORT", "tcp4:"+porttest.Free(t))...), 2},
		{"on a Unix socket of its own", enginetest.Child("listen", "unix:own.sock"), 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.apply(t, release(1, c.command...))
			stop := load(t, w, 8)
			for i := range c.deploys {
				if c.command[2] == "late" {
					eventually(t, "the second port is open", func() bool {
						_, port, _ := strings.Cut(c.command[len(c.command)-1], ":")
						conn, err := net.Dial("tcp4", "127.0.0.1:"+port)
						if err == nil {
							_ = conn.Close()
						}
						return err == nil
					})
				}
				w.apply(t, release(i+2, c.command...))
				if i%3 == 0 { // a release that fails must not be noticed either
					if err := w.Apply(t.Context(), release(99, enginetest.Child("fail")...), aloft.Discard{}, fine); err == nil {
						t.Error("it did not fail")
					}
				}
			}
			t.Logf("%d requests", stop())
			w.expect(t, "/", "v"+strconv.Itoa(c.deploys+1))
		})
	}
}

func TestAStreamKeepsItsTimeWhenItsInstanceIsReplaced(t *testing.T) {
	w := newWorld(t)
	r := release(1, enginetest.Child("listen", "tcp4:"+porttest.Free(t))...)
	r.Functions[0].DrainTimeout = aloft.Duration(3 * time.Second)
	w.apply(t, r)
	u, err := w.table.Lookup(host).Backend.Acquire(t.Context()) // a stream that ends only when it is cut
	if err != nil {
		t.Fatal(err)
	}
	cut := make(chan time.Time, 1)
	go func() {
		<-u.Cutting()
		cut <- time.Now()
		u.End()
	}()
	began := time.Now()
	done := make(chan error, 1)
	r.Version, r.Config.Values["GREETING"] = 2, []byte("v2")
	report := &reports{}
	go func() { done <- w.Apply(context.Background(), r, report, fine) }()
	stop := load(t, w, 2)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if took := (<-cut).Sub(began); took < 3*time.Second {
		t.Errorf("cut after %s", took)
	}
	stop()
	w.expect(t, "/", "v2")
	if !slices.Contains(report.steps, "notice") {
		t.Errorf("the user is not told: %q", report.steps)
	}
}
