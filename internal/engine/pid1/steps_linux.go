package pid1

import "syscall"

// Step is one thing to do: a verb and its operands. What a descriptor stands for is written "#N", the Nth that came with
// the message.
type Step []string

// The verbs.
const (
	Mkdir    = "mkdir"    // PATH MODE: with its parents
	Write    = "write"    // PATH MODE CONTENT: a new file
	Symlink  = "symlink"  // TARGET PATH
	Mount    = "mount"    // TYPE PATH FLAGS OPTIONS: a new file system
	Bind     = "bind"     // SOURCE PATH ATTRIBUTES: a part of the machine's, SOURCE a path or a tree #N
	Private  = "private"  // keep changes of mounts to this sandbox
	Pivot    = "pivot"    // PATH: make it the root and drop the old one
	Unmount  = "unmount"  // PATH
	Hostname = "hostname" // NAME
	Groups   = "groups"   // take the present control groups for the root of all
	Loopback = "loopback" // bring the loopback interface up
	Limit    = "limit"    // RESOURCE VALUE: a resource limit, soft and hard
	Landlock = "landlock" // SCOPES FILES NETWORK [ACCESS PATH|:PORT]…: see package landlock
	Lock     = "lock"     // give up what capabilities the command could get, for good
	Seccomp  = "seccomp"  // PROGRAM: filter system calls
	Exec     = "exec"     // PATH DIR TERMINAL ARGC [ARG]… [VARIABLE]…: start the command with #0, #1 and #2
)

const cloneNewCgroup = 0x02000000 // CLONE_NEWCGROUP, which package syscall is too old for

// PackSteps returns the words of a message that carries steps.
func PackSteps(steps []Step) []string {
	words := make([]string, len(steps))
	for i, s := range steps {
		words[i] = string(Pack(s))
	}
	return words
}

func unpack(words []string) ([]Step, error) {
	steps := make([]Step, len(words))
	for i, w := range words {
		step, err := Unpack([]byte(w))
		if err != nil {
			return nil, err
		}
		steps[i] = step
	}
	return steps, nil
}

// perform does the steps in order. It returns the command's process id once one of them has started it.
func perform(steps []Step, files []int) (child int, err error) {
	for _, s := range steps {
		if len(s) == 0 {
			return 0, wireError("a step without a verb")
		}
		if s[0] == Exec {
			return start(s[1:], files)
		}
		if err := step(s, files); err != nil {
			return 0, failure(s, err)
		}
	}
	return 0, nil
}

// failure says which step failed: "bind /usr: permission denied".
func failure(s Step, err error) error {
	line := []byte(s[0])
	for _, word := range s[1:] {
		if len(word) > 0 && len(word) < 200 {
			line = append(append(line, ' '), word...)
		}
	}
	text := string(line)
	if errno, ok := err.(syscall.Errno); ok { //nolint:errorlint // a plain errno; package errors would be one more import
		return wireError(text + ": " + errno.Error() + " (" + number(int(errno)) + ")")
	}
	return wireError(text + ": " + err.Error())
}

func step(s Step, files []int) error {
	arg := func(i int) string {
		if i < len(s) {
			return s[i]
		}
		return ""
	}
	switch s[0] {
	case Mkdir:
		return mkdirAll(arg(1), integer(arg(2)))
	case Write:
		return write(arg(1), integer(arg(2)), arg(3))
	case Symlink:
		return syscall.Symlink(arg(1), arg(2))
	case Mount:
		return syscall.Mount("aloft", arg(2), arg(1), uintptr(integer(arg(3))), arg(4))
	case Bind:
		return bind(arg(1), arg(2), integer(arg(3)), files)
	case Private:
		return syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	case Pivot:
		return pivot(arg(1))
	case Unmount:
		return syscall.Unmount(arg(1), syscall.MNT_DETACH)
	case Hostname:
		return syscall.Sethostname([]byte(arg(1)))
	case Groups:
		return syscall.Unshare(cloneNewCgroup)
	case Loopback:
		return loopback()
	case Limit:
		value := uint64(integer(arg(2)))
		return syscall.Setrlimit(integer(arg(1)), &syscall.Rlimit{Cur: value, Max: value})
	case Landlock:
		return landlock(s[1:])
	case Lock:
		return lock()
	case Seccomp:
		return seccomp(arg(1))
	}
	return wireError("no such verb")
}
