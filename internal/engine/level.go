package engine

import "github.com/aloft-run/aloft"

// Level says how well sandboxes are kept apart from each other and from the machine.
type Level int

// The levels, weakest first.
const (
	Separate Level = 1 // separate processes and directories; a hostile program reaches everything of its user
	Confined Level = 2 // own files, signals and TCP ports only; processes are seen, UDP and addresses are not bounded
	Isolated Level = 3 // own files, processes and network; memory is bounded by looking at it from time to time
	Bounded  Level = 4 // the same, and the kernel bounds memory, processor and processes
)

// String returns the level in a word.
func (l Level) String() string {
	switch l {
	case Separate:
		return "separate"
	case Confined:
		return "confined"
	case Isolated:
		return "isolated"
	case Bounded:
		return "isolated and bounded"
	}
	return "unknown"
}

// Require returns a Failed error unless e isolates at least at a level; 0 is any.
func Require(e Engine, least int) error {
	if Level(least) <= e.Level() {
		return nil
	}
	return aloft.Errorf(aloft.Failed, "the app asks for isolation level %d (%s) at least, this server gives %d (%s)", least, Level(least), e.Level(), e.Level()).
		WithHint("aloft doctor says what this machine lacks; isolation.minimum in aloft.yml is what the app asks for")
}

// Layout says where the command of a sandbox finds things, and what it has to itself.
type Layout struct {
	Tree       string // Spec.Tree
	Opt        string // Spec.Opt; "" is where it lies
	Home, Temp string // for HOME and TMPDIR; empty at the start
	OwnNetwork bool   // every port is free to it, whatever others listen on
}
