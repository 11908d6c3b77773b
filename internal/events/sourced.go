package events

import (
	"fmt"
	"strings"

	"github.com/aloft-run/aloft"
)

// key names a source of a function of a stage.
func key(ref aloft.StageRef, function, source string) string {
	return strings.Join([]string{ref.String(), function, source}, "\x00")
}

// sourced is a source of a function.
type sourced struct {
	function, source string

	attached, qualifier string // of one that no release names
	whole               bool
}

// key names it among those of its stage. What is set anew makes it another.
func (s sourced) key(ref aloft.StageRef) string {
	name := key(ref, s.function, s.source)
	if s.attached != "" {
		name += fmt.Sprintf("\x00%s\x00%s\x00%t", s.attached, s.qualifier, s.whole)
	}
	return name
}

// sourcesOf are the sources of the functions that a release runs, by their keys.
func sourcesOf(release aloft.Release) map[string]*sourced {
	all := map[string]*sourced{}
	for _, f := range release.Tuned() {
		for _, text := range f.EventSources {
			all[key(release.StageRef, f.Name, text)] = &sourced{function: f.Name, source: text}
		}
	}
	return all
}
