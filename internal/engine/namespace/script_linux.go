package namespace

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/aloft-run/aloft/internal/engine/pid1"
)

// script is a batch of steps for a first process, with the descriptors that they need.
type script struct {
	root   bool     // what an ordinary user may not see inside is opened out here
	owners *os.File // with root: the user namespace that gives the server's files to the sandbox's user
	steps  []pid1.Step
	files  []*os.File
	owned  []*os.File // those of files that are the script's to close
	err    error      // the first that came up
}

func (s *script) add(words ...string) { s.steps = append(s.steps, words) }

func (s *script) mkdir(path string, mode int) { s.add(pid1.Mkdir, path, strconv.Itoa(mode)) }

func (s *script) write(path, content string) { s.add(pid1.Write, path, strconv.Itoa(0o644), content) }

func (s *script) close() {
	for _, f := range s.owned {
		_ = f.Close()
	}
	s.owned = nil
}

// own passes a file on and closes it afterwards.
func (s *script) own(f *os.File) (word string) {
	s.owned = append(s.owned, f)
	return s.pass(f)
}

func (s *script) pass(f *os.File) (word string) {
	s.files = append(s.files, f)
	return "#" + strconv.Itoa(len(s.files)-1)
}

// bind shows source, a path of the machine, at path. A source that is not there is left out.
func (s *script) bind(source, path string, attributes int) {
	if s.err != nil {
		return
	}
	word := source
	if s.root {
		tree, err := openTree(source)
		if os.IsNotExist(err) {
			return
		}
		if err != nil {
			s.err = fmt.Errorf("open %s: %w", source, err)
			return
		}
		word = s.own(tree)
	} else if _, err := os.Stat(source); err != nil {
		return
	}
	s.add(pid1.Bind, word, path, strconv.Itoa(attributes))
}

func openTree(path string) (*os.File, error) {
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

// The directories of a sandbox.
const (
	insideUser = 1000
	treeDir    = "/var/task"
	optDir     = "/opt"
	homeDir    = "/home/app"
	tempDir    = "/tmp"
	stage      = "/proc" // where the new root is built: a directory that is there and that nothing is taken from
	scratch    = stage + "/.aloft"
	lower      = scratch + "/tree" // the app's files as they were released
	upperOpt   = scratch + "/opt"  // what is shown over the machine's /opt
)

const (
	readOnly = pid1.ReadOnly | pid1.NoSuid | pid1.NoDev
	writable = pid1.NoSuid | pid1.NoDev
)

// common makes what every sandbox has: the system's programs, devices, accounts, processes.
func (e *Engine) common(s *script) {
	s.add(pid1.Private)
	s.add(pid1.Loopback)
	s.add(pid1.Mount, "tmpfs", stage, strconv.Itoa(unix.MS_NOSUID|unix.MS_NODEV), "mode=0755,size=1m,nr_inodes=4096")
	for _, dir := range systemDirs() {
		if target, err := os.Readlink(dir); err == nil && dir != optDir { // a sandbox may have its own there
			s.add(pid1.Symlink, target, stage+dir)
			continue
		}
		s.bind(dir, stage+dir, readOnly)
	}
	e.visible(s, false)
	e.devices(s)
	e.accounts(s)
	s.mkdir(stage+"/proc", 0o0755)
	s.add(pid1.Mount, "proc", stage+"/proc", strconv.Itoa(unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC), "hidepid=2")
	s.mkdir(stage+"/var", 0o0755)
	s.add(pid1.Symlink, "/run", stage+"/var/run")
	s.add(pid1.Symlink, "/tmp", stage+"/var/tmp")
	s.add(pid1.Hostname, "aloft")
}

// visible shows what every sandbox may read: that below directories which are each sandbox's own once those are there.
func (e *Engine) visible(s *script, belowOwn bool) {
	for _, dir := range e.Visible {
		if within(dir, []string{tempDir, homeDir, "/dev/shm", "/run"}) == belowOwn {
			s.bind(dir, stage+dir, readOnly)
		}
	}
}

// systemDirs are where the machine's programs and their settings are. What their owner keeps from others stays so: a
// sandbox's user is not the machine's root.
func systemDirs() []string {
	var there []string
	for _, dir := range []string{
		"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix/store", "/snap", "/var/lib/gems",
	} {
		if _, err := os.Lstat(dir); err == nil {
			there = append(there, dir)
		}
	}
	return there
}

func (*Engine) devices(s *script) {
	dev := stage + "/dev"
	s.mkdir(dev, 0o0755)
	for _, name := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		s.bind("/dev/"+name, dev+"/"+name, pid1.NoSuid|pid1.NoExec)
	}
	s.mkdir(dev+"/pts", 0o0755)
	s.add(pid1.Mount, "devpts", dev+"/pts", strconv.Itoa(unix.MS_NOSUID|unix.MS_NOEXEC), "newinstance,ptmxmode=0666,mode=0620")
	for link, target := range map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx",
	} {
		s.add(pid1.Symlink, target, dev+"/"+link)
	}
}

// accounts replaces what the sandbox must see otherwise than the machine: its user, its host name, where names are resolved.
func (e *Engine) accounts(s *script) {
	s.mkdir(scratch, 0o0755)
	for _, f := range []struct{ path, content string }{
		{"/etc/passwd", "root:x:0:0:root:/:/bin/sh\napp:x:1000:1000:app:" + homeDir + ":/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"},
		{"/etc/group", "root:x:0:\napp:x:1000:\nnogroup:x:65534:\n"},
		{"/etc/hosts", "127.0.0.1 localhost aloft sandbox.localdomain sandbox\n::1 localhost aloft\n"},
		{"/etc/hostname", "aloft\n"},
		{"/etc/resolv.conf", "nameserver " + resolverHost + "\noptions edns0\n"},
	} {
		// Where the machine has a link, to a directory that sandboxes do not have, the file comes to its target.
		if target, err := filepath.EvalSymlinks(f.path); err == nil && target != f.path || isLink(f.path) {
			if target == "" {
				target, _ = os.Readlink(f.path)
			}
			if filepath.IsAbs(target) && !within(target, systemDirs()) {
				s.mkdir(stage+filepath.Dir(target), 0o0755)
				s.write(stage+target, f.content)
			}
			continue
		}
		if _, err := os.Stat(f.path); err != nil {
			continue
		}
		copied := scratch + "/" + filepath.Base(f.path)
		s.write(copied, f.content)
		s.add(pid1.Bind, copied, stage+f.path, strconv.Itoa(readOnly))
	}
}

func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&os.ModeSymlink != 0
}

// resolverHost is where sandboxes ask for names; the engine answers there.
const resolverHost = "127.0.0.53"
