package namespace

import (
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/landlock"
	"github.com/aloft-run/aloft/internal/engine/pid1"
)

// confine gives up what the command shall not have: capabilities, files beyond those it needs, dangerous system calls. The
// mounts and namespaces say most of it already; each layer holds where another has a hole.
func (e *Engine) confine(s *script, spec engine.Spec) {
	s.add(pid1.Lock)
	if e.landlock > 0 {
		write := append([]string{tempDir, homeDir, treeDir, "/dev", "/run", "/proc"}, spec.Shared...)
		s.add(append(pid1.Step{pid1.Landlock}, landlock.Rules(e.landlock, landlock.Policy{Read: []string{"/"}, Write: write})...)...)
	}
	s.add(pid1.Seccomp, string(e.filter))
}
