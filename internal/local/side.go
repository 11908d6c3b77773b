package local

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/function"
)

const (
	sideIdle = 15 * time.Minute // after which a release that nobody asks for ends
	maxSides = 8                // releases that run besides the current ones at a time, of all stages
)

// sides are releases that run besides the current ones because invocations name them. Each is unpacked when the first does,
// starts a function with the first event for it, and ends when it was not asked for a while. The gateway leads nobody to
// them. They are not remembered: after a start of the server the next invocation makes them again.
type sides struct {
	platform *Platform

	mu  sync.Mutex
	all []*side
}

// side is one of them.
type side struct {
	stage   *stage
	version int
	made    chan struct{} // closed when deployment or err is there
	cancel  context.CancelFunc

	deployment *deployment
	err        error

	mu    sync.Mutex
	gates map[string]*function.Gate // of the functions that were asked for
	over  bool

	// guarded by sides.mu
	users  int
	usedAt time.Time
	timer  *time.Timer
}

// enter finds a function of a release other than the current one.
func (a *sides) enter(ctx context.Context, s *stage, version int, name string) (target, error) {
	d, err := a.use(ctx, s, version)
	if err != nil {
		return target{}, err
	}
	select {
	case <-d.made:
	case <-ctx.Done():
		a.leave(d)
		return target{}, aloft.Errorf(aloft.Canceled, "wait for v%d: %w", version, ctx.Err())
	}
	gate, err := d.gate(name)
	if err != nil {
		a.leave(d)
		return target{}, err
	}
	return target{gate, version, sync.OnceFunc(func() { a.leave(d) })}, nil
}

// use returns the side of a release, made if there is none, and counts one more user.
func (a *sides) use(ctx context.Context, s *stage, version int) (*side, error) {
	if d, err := a.join(s, version); d != nil || err != nil {
		return d, err
	}
	release, err := a.platform.Releases.Release(ctx, s.ref, version)
	switch {
	case err != nil:
		return nil, err
	case release.Status != aloft.Succeeded:
		return nil, aloft.Errorf(aloft.Conflict, "v%d of %s is %s: it cannot be invoked", version, s.ref, release.Status)
	case release.Artifact.Digest == "":
		return nil, aloft.Errorf(aloft.NotFound, "v%d of %s has no code", version, s.ref).WithHint("it was made by config before the first deploy")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if d, err := a.find(s, version); d != nil || err != nil { // another call was faster
		return d, err
	}
	if err := a.platform.begin(); err != nil {
		return nil, err
	}
	if err := a.room(); err != nil {
		a.platform.background.Done()
		return nil, err
	}
	return a.add(s, release), nil
}

// add begins to unpack a release, of which the caller is the first user. The caller holds a.mu and has begun for it.
func (a *sides) add(s *stage, release aloft.Release) *side {
	making, cancel := context.WithCancel(a.platform.work)
	d := &side{stage: s, version: release.Version, made: make(chan struct{}), cancel: cancel, gates: map[string]*function.Gate{}, users: 1}
	d.timer = time.AfterFunc(sideIdle, func() { a.expire(d) })
	d.timer.Stop()
	a.all = append(a.all, d)
	s.mu.Lock()
	current := s.release.Clone().Resources
	s.mu.Unlock()
	go func() {
		defer a.platform.background.Done()
		defer close(d.made)
		if d.deployment, d.err = a.platform.deploy(making, besides(release, current)); d.err != nil {
			a.forget(d)
		}
	}()
	return d
}

func (a *sides) join(s *stage, version int) (*side, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.find(s, version)
}

// find returns the side of a release with one more user, nil if there is none. The caller holds a.mu: a stage that was
// stopped before is not found, and one that is stopped later finds the side.
func (a *sides) find(s *stage, version int) (*side, error) {
	if s.halted() {
		return nil, aloft.Errorf(aloft.Unavailable, "%s is stopped", s.ref).WithHint("aloft restart starts it again")
	}
	for _, d := range a.all {
		if d.stage == s && d.version == version {
			d.users++
			d.timer.Stop()
			return d, nil
		}
	}
	return nil, nil
}

// room ends the side that was used least lately, if there are too many. The caller holds a.mu.
func (a *sides) room() error {
	if len(a.all) < maxSides {
		return nil
	}
	var oldest *side
	for _, d := range a.all {
		if d.users == 0 && (oldest == nil || d.usedAt.Before(oldest.usedAt)) {
			oldest = d
		}
	}
	if oldest == nil {
		return aloft.Errorf(aloft.Unavailable, "%d releases besides the current ones are at work already", maxSides).WithHint("try again in a moment")
	}
	a.remove(oldest)
	a.platform.after(func() { oldest.end(a.platform, "another release takes its place") })
	return nil
}

// remove takes a side off the list. It reports false if it was not there. The caller holds a.mu.
func (a *sides) remove(d *side) bool {
	before := len(a.all)
	a.all = slices.DeleteFunc(a.all, func(o *side) bool { return o == d })
	return len(a.all) < before
}

func (a *sides) forget(d *side) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.remove(d)
	d.cancel()
}

// leave counts one user less.
func (a *sides) leave(d *side) {
	a.mu.Lock()
	defer a.mu.Unlock()
	d.users--
	if d.usedAt = time.Now(); d.users == 0 {
		d.timer.Reset(sideIdle)
	}
}

// expire ends a side that is used no more.
func (a *sides) expire(d *side) {
	if a.platform.begin() != nil {
		return // it ends with the platform
	}
	defer a.platform.background.Done()
	a.mu.Lock()
	gone := d.users == 0 && time.Since(d.usedAt) >= sideIdle && a.remove(d)
	a.mu.Unlock()
	if gone {
		d.end(a.platform, "not used for a while")
	}
}

// drop ends all sides of a stage, and returns when they are gone.
func (a *sides) drop(s *stage, reason string) {
	a.mu.Lock()
	var gone []*side
	for _, d := range slices.Clone(a.all) {
		if d.stage == s {
			a.remove(d)
			gone = append(gone, d)
		}
	}
	a.mu.Unlock()
	var wg sync.WaitGroup
	for _, d := range gone {
		wg.Go(func() { d.end(a.platform, reason) })
	}
	wg.Wait()
}

// instances are those of a stage's sides.
func (a *sides) instances(s *stage) []aloft.Instance {
	a.mu.Lock()
	all := slices.Clone(a.all)
	a.mu.Unlock()
	var instances []aloft.Instance
	for _, d := range all {
		if d.stage == s {
			instances = append(instances, d.instances()...)
		}
	}
	return instances
}

// gate is that of a function, which starts if nobody asked for it before.
func (d *side) gate(name string) (*function.Gate, error) {
	if d.err != nil {
		return nil, d.err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if gate := d.gates[name]; gate != nil {
		return gate, nil
	}
	pool := d.deployment.handlers[name]
	if pool == nil {
		names := slices.Sorted(maps.Keys(d.deployment.handlers))
		return nil, aloft.Errorf(aloft.NotFound, "v%d of %s has no handler function %q", d.version, d.stage.ref, name).
			WithHint("it has: %s", strings.Join(names, ", "))
	}
	gate := function.NewGate()
	d.gates[name] = gate
	if d.over {
		gate.Close("the release runs no more")
		return gate, nil
	}
	gate.Use(pool)
	d.deployment.platform.after(pool.Supervise) // the user that we count keeps the platform from being over
	return gate, nil
}

// end ends everything in peace, at once when the platform does.
func (d *side) end(p *Platform, reason string) {
	d.timer.Stop()
	d.cancel()
	<-d.made
	d.mu.Lock()
	d.over = true
	for _, gate := range d.gates {
		gate.Close(reason)
	}
	d.mu.Unlock()
	if d.deployment != nil {
		d.deployment.stop(p.life)
		d.deployment.remove()
	}
}

func (d *side) instances() []aloft.Instance {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []aloft.Instance
	for _, name := range slices.Sorted(maps.Keys(d.gates)) {
		if pool := d.deployment.handlers[name]; pool != nil {
			all = append(all, pool.Instances()...)
		}
	}
	return all
}
