package local

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aloft-run/aloft"
)

// Recorder keeps events with their replies.
type Recorder interface {
	// Wants reports whether an event of a function is to be kept. It is asked with each event and costs next to nothing.
	Wants(ref aloft.StageRef, function string) bool
	// Keep keeps an event, with the secrets masked.
	Keep(ref aloft.StageRef, recording aloft.Recording, secrets []string) error
}

// keep keeps an event if that is wanted. An error is no reason not to answer.
func (p *Platform) keep(ctx context.Context, ref aloft.StageRef, r aloft.Recording) {
	if p.Recorder == nil || !p.Recorder.Wants(ref, r.Function) {
		return
	}
	release, err := p.Releases.Release(ctx, ref, r.Release)
	var config aloft.Config
	if err == nil {
		config, err = p.Unseal(ctx, release)
	}
	if err == nil { // not without knowing what is secret
		r.At = time.Now()
		err = p.Recorder.Keep(ref, r, slices.Collect(maps.Values(config)))
	}
	if err != nil {
		p.Logger.Warn("an event is not recorded", "stage", ref.String(), "function", r.Function, "error", err)
	}
}
