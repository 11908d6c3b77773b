package stack

import (
	"strings"

	"github.com/aloft-run/aloft"
)

// warnOfNoEffect says which settings of a function Lambda does not have. Idle is left out: stages have it without saying it.
func (s *render) warnOfNoEffect(f aloft.Function) {
	var names []string
	for _, one := range []struct {
		name string
		set  bool
	}{
		{"min or instances", f.Instances > 1},
		{"max", f.Max > 0 && (f.Kind != aloft.Handler || f.Max != aloft.HandlerMax)}, // which handlers have without saying it
		{"concurrency", f.Concurrency > 0 || f.Target > 0},
		{"queue", f.Queue > 0},
		{"cpu", f.CPU > 0},
		{"network", len(f.Network) > 0},
	} {
		if one.set {
			names = append(names, one.name)
		}
	}
	if len(names) > 0 {
		s.warn(f.Name + ": AWS Lambda gives each request an instance of its own and does not have " + strings.Join(names, ", ") +
			"; lambda.reserved bounds how many there are, lambda.provisioned keeps some warm, memory brings processor time")
	}
}
