package gateway

import (
	"runtime"
	"slices"
	"time"
)

// Inspect runs pieces of what a connection read through framing and returns what the server gets.
func Inspect(pieces ...[]byte) []byte {
	var f framing
	var out []byte
	for _, p := range pieces {
		f.inspect(p)
		out = append(out, p...)
	}
	return out
}

// SeesProgress reports whether this system says how much a client has taken.
const SeesProgress = runtime.GOOS == "linux"

// Guests is how many connections there are.
func (g *Gateway) Guests() int {
	g.crowd.mu.Lock()
	defer g.crowd.mu.Unlock()
	return len(g.crowd.guests)
}

// Waiting is how many of them have no request in work.
func (g *Gateway) Waiting() int { return int(g.crowd.waiting.Load()) }

// Look is what a look at a client finds.
type Look struct {
	Taken uint64
	Ready bool
}

// Slow reports whether the client was found slow at any of the looks.
func Slow(looks []Look, every time.Duration, rate int, over time.Duration) (slow bool) {
	var p pace
	now := time.Unix(0, 0)
	for _, l := range looks {
		now = now.Add(every)
		slow = p.note(now, l.Taken, l.Ready, rate, over) || slow
	}
	return slow
}

// Pause is how long a client is to wait that says all of text at once, in reads of size bytes.
func Pause(text []byte, size int) time.Duration {
	now := time.Unix(0, 0)
	t := newTalk(now, DefaultLimits().Talk)
	var pause time.Duration
	for p := range slices.Chunk(text, size) {
		pause = t.hear(p, now)
	}
	return pause
}

// Retiring reports whether g has begun to retire.
func Retiring(g *Gateway) bool { return g.retiring.Load() }

// Open is how many connections there are that speak HTTP.
func Open(g *Gateway) int { return int(g.open.Load()) }
