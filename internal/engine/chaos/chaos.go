// Package chaos is an engine that makes another one unreliable: by a seed, starts fail and sandboxes die. Tests use it to
// see that everything above an engine survives that.
package chaos

import (
	"context"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
)

var _ engine.Engine = (*Engine)(nil)

// Options say how bad it gets. The zero value harms nobody.
type Options struct {
	Seed      uint64
	FailStart float64       // probability that a start fails
	Die       float64       // probability that a sandbox dies
	Life      time.Duration // one that dies does so within this time
}

// Engine wraps an engine.
type Engine struct {
	engine.Engine
	options Options

	mu   sync.Mutex
	rand *rand.Rand
}

// New returns inner made unreliable.
func New(inner engine.Engine, options Options) *Engine {
	return &Engine{Engine: inner, options: options, rand: rand.New(rand.NewPCG(options.Seed, 0))} //nolint:gosec // to be repeated, not secret
}

// Start starts a sandbox, unless fate says otherwise.
func (e *Engine) Start(ctx context.Context, spec engine.Spec) (engine.Sandbox, error) {
	fail, die, life := e.fate()
	if fail {
		return nil, aloft.Errorf(aloft.Failed, "cannot start %s: chaos", spec.ID)
	}
	s, err := e.Engine.Start(ctx, spec)
	if err != nil || !die {
		return s, err
	}
	go func() {
		timer := time.NewTimer(life)
		defer timer.Stop()
		select {
		case <-timer.C:
			_ = s.Signal(syscall.SIGKILL)
		case <-s.Done():
		}
	}()
	return s, nil
}

func (e *Engine) fate() (fail, die bool, life time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	fail = e.rand.Float64() < e.options.FailStart
	die = e.rand.Float64() < e.options.Die
	life = time.Duration(e.rand.Float64() * float64(e.options.Life))
	return fail, die, life
}
