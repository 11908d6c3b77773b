package pid1

import "syscall"

// start starts the command: PATH DIR TERMINAL ARGC, then the arguments, then the environment.
func start(words []string, files []int) (int, error) {
	const fixed = 4
	if len(words) < fixed || len(files) < 3 {
		return 0, wireError("a command without its descriptors")
	}
	path, dir, terminal, count := words[0], words[1], words[2] != "", integer(words[3])
	words = words[fixed:]
	if count > len(words) {
		return 0, wireError("a command without its arguments")
	}
	attributes := &syscall.ProcAttr{
		Dir: dir, Env: words[count:], Files: []uintptr{uintptr(files[0]), uintptr(files[1]), uintptr(files[2])},
		Sys: &syscall.SysProcAttr{Setsid: true, Setctty: terminal},
	}
	syscall.Umask(commandUmask)
	pid, err := syscall.ForkExec(path, words[:count], attributes)
	if errno, ok := err.(syscall.Errno); ok { //nolint:errorlint // see failure
		return 0, wireError(execFailure + number(int(errno)))
	}
	return pid, err
}

// commandUmask keeps what the command writes from being changed by others.
const commandUmask = 0o022

// execFailure is how the reason begins if it was the command that could not be executed.
const execFailure = "exec:"

// ExecErrno returns the system's reason if a failure means that the command could not be executed.
func ExecErrno(reason string) (syscall.Errno, bool) {
	if len(reason) <= len(execFailure) || reason[:len(execFailure)] != execFailure {
		return 0, false
	}
	return syscall.Errno(integer(reason[len(execFailure):])), true
}
