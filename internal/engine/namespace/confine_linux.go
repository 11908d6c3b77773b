package namespace

import (
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/namespace/pid1"
)

// confine gives up what the command shall not have: capabilities, files beyond those it needs, dangerous system calls. The
// mounts and namespaces say most of it already; each layer holds where another has a hole.
func (e *Engine) confine(s *script, spec engine.Spec) {
	s.add(pid1.Lock)
	if e.landlock > 0 {
		s.add(append(pid1.Step{pid1.Landlock}, landlockRules(e.landlock, spec.Shared)...)...)
	}
	s.add(pid1.Seccomp, string(e.filter))
}

const (
	readRights  = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	allV1       = 1<<13 - 1
	firstScopes = 6 // the version that knows scopes
	scopes      = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
)

// allRights are the accesses to files that a version of Landlock bounds.
func allRights(version int) int {
	rights := allV1
	for _, later := range []struct{ version, right int }{
		{2, unix.LANDLOCK_ACCESS_FS_REFER}, {3, unix.LANDLOCK_ACCESS_FS_TRUNCATE}, {5, unix.LANDLOCK_ACCESS_FS_IOCTL_DEV},
	} {
		if version >= later.version {
			rights |= later.right
		}
	}
	return rights
}

// landlockRules are the operands of the step Landlock: everything may be read, and little be written.
func landlockRules(version int, more []string) []string {
	all := allRights(version)
	bits := 0
	if version >= firstScopes {
		bits = scopes
	}
	rules := []string{strconv.Itoa(bits), strconv.Itoa(all), "", strconv.Itoa(readRights), "/"}
	for _, dir := range append([]string{tempDir, homeDir, treeDir, "/dev", "/run", "/proc"}, more...) {
		rules = append(rules, strconv.Itoa(all), dir)
	}
	return rules
}
