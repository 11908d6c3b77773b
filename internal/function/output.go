package function

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/aloft-run/aloft/internal/line"
)

// What of an instance's output is kept: a burst, as programs print when they start or fail, and then so much a second. What
// comes faster is dropped and counted.
const (
	logRate  = 1 << 20 // bytes a second
	logBurst = 8 << 20 // bytes
)

// output is where an instance writes.
type output struct {
	stdout, stderr *line.Meter
	tail           line.Tail // of both, kept lines only
}

func newOutput(emit func(stream, text string, at time.Time)) *output {
	o := &output{}
	bucket := rate.NewLimiter(logRate, logBurst)
	keep := func(stream string) *line.Meter {
		w := line.NewWriter(func(text string, at time.Time) {
			o.tail.Add(text)
			emit(stream, text, at)
		})
		return line.NewMeter(w, bucket, func(text string, at time.Time) { emit("aloft", text, at) })
	}
	o.stdout, o.stderr = keep("stdout"), keep("stderr")
	return o
}

// flush emits what is left without a newline.
func (o *output) flush() {
	o.stdout.Flush()
	o.stderr.Flush()
}
