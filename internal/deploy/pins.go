package deploy

import (
	"context"
	"sync"
)

// pins keeps artifacts that no release names yet from being collected. The zero value is ready.
type pins struct {
	mu    sync.Mutex // also held while artifacts are collected
	count map[string]int
}

// pin keeps the artifact until unpin is called.
func (p *pins) pin(digest string) (unpin func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == nil {
		p.count = map[string]int{}
	}
	p.count[digest]++
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.count[digest]--; p.count[digest] == 0 {
			delete(p.count, digest)
		}
	})
}

// collect removes the artifacts that no release names and nobody pinned.
func (d *Deployer) collect(ctx context.Context) error {
	if d.Shared {
		return nil
	}
	d.pins.mu.Lock()
	defer d.pins.mu.Unlock()
	keep, err := d.Apps.Digests(ctx)
	if err != nil {
		return err
	}
	for digest := range d.pins.count {
		keep[digest] = true
	}
	removed, bytes, err := d.Artifacts.Collect(ctx, keep, 0)
	if err != nil {
		return err
	}
	if removed > 0 {
		d.Logger.Info("removed artifacts no release needs", "count", removed, "bytes", bytes)
	}
	d.forget()
	d.trimIndexes()
	return nil
}
