package function

import (
	"math/rand/v2"
	"time"
)

const (
	firstPause = time.Second
	lastPause  = 5 * time.Minute
	ranWell    = time.Minute // an instance that was ready for so long makes up for all failures before it
)

// backoff counts failures in a row.
type backoff struct{ failures int }

// next returns the pause after one more failure, of an instance that was ready since a time or, zero, never was: twice the
// last, give or take a fifth, so that many that fail together do not start together.
func (b *backoff) next(readyAt time.Time) time.Duration {
	if !readyAt.IsZero() && time.Since(readyAt) >= ranWell {
		b.failures = 0
	}
	pause := lastPause
	if b.failures < 9 {
		pause = min(lastPause, firstPause<<b.failures)
	}
	b.failures++
	return time.Duration(float64(pause) * (0.8 + 0.4*rand.Float64())) //nolint:gosec // jitter needs no secrecy
}
