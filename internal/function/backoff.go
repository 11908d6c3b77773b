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

// ran takes note that an instance was ready for d.
func (b *backoff) ran(d time.Duration) {
	if d >= ranWell {
		b.failures = 0
	}
}

// next returns the pause after one more failure: twice the last, give or take a fifth, so that many that fail together do
// not start together.
func (b *backoff) next() time.Duration {
	pause := lastPause
	if b.failures < 9 {
		pause = min(lastPause, firstPause<<b.failures)
	}
	b.failures++
	return time.Duration(float64(pause) * (0.8 + 0.4*rand.Float64())) //nolint:gosec // jitter needs no secrecy
}
