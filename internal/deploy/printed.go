package deploy

import (
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/line"
)

// printed is where a build step or a hook writes: each line is reported, the last ones are kept for an error.
type printed struct {
	*line.Writer
	tail line.Tail
}

func newPrinted(step string, report aloft.Reporter) *printed {
	p := &printed{}
	p.Writer = line.NewWriter(func(text string, _ time.Time) {
		p.tail.Add(text)
		report.Report(aloft.Output{Step: step, Text: text})
	})
	return p
}
