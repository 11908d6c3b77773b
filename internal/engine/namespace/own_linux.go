package namespace

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/pid1"
)

// own makes what is this sandbox's alone, and shuts everything else off.
func (e *Engine) own(s *script, spec engine.Spec) {
	spaces := scratch + "/own"
	if spec.Limits.Temp > 0 {
		s.mkdir(spaces, 0o0755)
		s.add(pid1.Mount, "tmpfs", spaces, strconv.Itoa(unix.MS_NOSUID|unix.MS_NODEV), fmt.Sprintf("mode=0755,size=%d,nr_inodes=%d", spec.Limits.Temp, inodes(spec.Limits.Temp)))
	} else {
		s.mapped(spec.Private, spaces, writable)
	}
	for _, d := range []struct {
		name, path string
		mode       int
	}{{"tmp", tempDir, 0o1777}, {"home", homeDir, 0o700}, {"shm", "/dev/shm", 0o1777}, {"run", "/run", 0o755}} {
		s.mkdir(spaces+"/"+d.name, d.mode)
		s.add(pid1.Bind, spaces+"/"+d.name, stage+d.path, strconv.Itoa(writable))
	}
	e.visible(s, true)
	e.tree(s, spec, spaces)
	e.opt(s, spec)
	for _, dir := range spec.Shared {
		s.mapped(dir, stage+dir, writable)
	}
	s.add(pid1.Pivot, stage)
	s.add(pid1.Unmount, strings.TrimPrefix(spaces, stage)) // what is shown of it stays
	if spec.Tree != "" && !spec.Keep {
		s.add(pid1.Unmount, strings.TrimPrefix(lower, stage))
	}
	if spec.Opt != "" {
		s.add(pid1.Unmount, strings.TrimPrefix(upperOpt, stage))
	}
	s.add(pid1.Mount, "", "/", strconv.Itoa(unix.MS_REMOUNT|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV), "mode=0755,size=1m,nr_inodes=4096")
	e.limits(s, spec)
	e.confine(s, spec)
}

// tree shows the app's files. A build changes them; else they are read-only, below a layer that takes what the app writes
// beside them and goes with the sandbox.
func (e *Engine) tree(s *script, spec engine.Spec, spaces string) {
	task := stage + treeDir
	if spec.Tree == "" {
		s.mkdir(spaces+"/task", 0o0755)
		s.add(pid1.Bind, spaces+"/task", task, strconv.Itoa(writable))
		return
	}
	if spec.Keep {
		s.mapped(spec.Tree, task, writable)
		return
	}
	s.mapped(spec.Tree, lower, readOnly)
	s.mkdir(spaces+"/layer", 0o0755)
	s.mkdir(spaces+"/work", 0o0755)
	s.mkdir(task, 0o0755)
	s.add(pid1.Mount, "overlay", task, strconv.Itoa(unix.MS_NOSUID|unix.MS_NODEV),
		"userxattr,lowerdir="+lower+",upperdir="+spaces+"/layer,workdir="+spaces+"/work")
}

// opt shows spec.Opt over what the machine has at /opt: programs that sandboxes need may be there.
func (e *Engine) opt(s *script, spec engine.Spec) {
	if spec.Opt == "" {
		return
	}
	s.mapped(spec.Opt, upperOpt, readOnly)
	s.mkdir(stage+optDir, 0o0755)
	s.add(pid1.Mount, "overlay", stage+optDir, strconv.Itoa(unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV),
		"userxattr,lowerdir="+upperOpt+":"+stage+optDir)
}

// mapped shows a directory of the machine whose files belong to the sandbox's user inside and to the server's outside.
func (s *script) mapped(source, path string, attributes int) {
	if s.err != nil {
		return
	}
	if !s.root {
		s.bind(source, path, attributes)
		return
	}
	tree, err := openTree(source)
	if err == nil {
		attr := &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(s.owners.Fd())}
		err = unix.MountSetattr(int(tree.Fd()), "", unix.AT_EMPTY_PATH, attr)
	}
	if err != nil {
		s.err = fmt.Errorf("map the owners of %s: %w", source, err)
		return
	}
	s.add(pid1.Bind, s.own(tree), path, strconv.Itoa(attributes))
}

// limits sets what the kernel counts per process and user.
func (e *Engine) limits(s *script, spec engine.Spec) {
	limit := func(resource int, value int64) {
		s.add(pid1.Limit, strconv.Itoa(resource), strconv.FormatInt(value, 10))
	}
	limit(unix.RLIMIT_CORE, 0)
	if spec.Limits.Files > 0 {
		var hard unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &hard); err == nil {
			limit(unix.RLIMIT_NOFILE, min(int64(spec.Limits.Files), int64(min(hard.Max, 1<<30))))
		}
	}
	if spec.Limits.Processes > 0 && e.groups == nil {
		limit(unix.RLIMIT_NPROC, int64(spec.Limits.Processes))
	}
}

// inodes is how many files of a temporary file system are allowed: plenty for real ones, few enough not to eat the
// kernel's memory.
func inodes(bytes int64) int64 { return max(1024, bytes/(16<<10)) }

func within(path string, dirs []string) bool {
	for _, dir := range dirs {
		if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
			return true
		}
	}
	return false
}
