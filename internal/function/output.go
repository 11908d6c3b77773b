package function

import (
	"time"

	"github.com/aloft-run/aloft/internal/line"
)

// output is where an instance writes.
type output struct {
	stdout, stderr *line.Writer
	tail           line.Tail // of both
}

func newOutput(emit func(stream, text string, at time.Time)) *output {
	o := &output{}
	keep := func(stream string) *line.Writer {
		return line.NewWriter(func(text string, at time.Time) {
			o.tail.Add(text)
			emit(stream, text, at)
		})
	}
	o.stdout, o.stderr = keep("stdout"), keep("stderr")
	return o
}

// flush emits what is left without a newline.
func (o *output) flush() {
	o.stdout.Flush()
	o.stderr.Flush()
}
