// Package pid1 is the first process of a sandbox: it makes the sandbox's view of the machine from the inside, starts the
// user's command with everything taken away that it could misuse, reaps what is orphaned, opens sockets in the sandbox's
// network for the engine, and ends everything with the command, or with the engine.
//
// It is the program that links this package, started again: by its init function, which runs before nearly all others
// because the package imports nothing but syscall. So a start costs a millisecond, not the thirty that the initialisation of the
// whole program takes (HARDENING.md C2). For that reason nothing here may import more.
package pid1

import (
	"syscall"
)

// Env is the environment variable that makes a program the first process of a sandbox. With the value Wrap it carries out
// the steps in its first argument and becomes the command that follows.
const Env = "ALOFT_SANDBOX_PID1"

// Wrap is a value of Env, see there.
const Wrap = "wrap"

// The descriptors that the first process is started with, besides an empty standard input and output.
const (
	lifeFD    = 3 // a stream socket: what to do; how it went
	serviceFD = 4 // a stream socket: requests while the command runs
)

func init() { //nolint:gochecknoinits // to run before the rest of the program is initialised is its purpose
	switch value, _ := syscall.Getenv(Env); value {
	case "":
		return
	case Wrap:
		wrap()
	default:
		run()
	}
	syscall.Exit(0)
}

// run carries out batches of steps until one has started the command, and then sees it to its end.
func run() {
	hide()
	syscall.CloseOnExec(lifeFD) // the command must not talk to the engine
	syscall.CloseOnExec(serviceFD)
	closeFrom(serviceFD + 1)
	syscall.Umask(0) // modes are as the steps say
	go serve()
	for {
		words, files, err := receive(lifeFD)
		if err != nil {
			return // the engine is gone, or needs this sandbox no more
		}
		steps, err := unpack(words)
		child := 0
		if err == nil {
			child, err = perform(steps, files)
		}
		for _, fd := range files {
			_ = syscall.Close(fd)
		}
		if err != nil {
			_ = send(lifeFD, []string{Failed, err.Error()})
			continue
		}
		if child == 0 {
			_ = send(lifeFD, []string{Done})
			continue
		}
		_ = send(lifeFD, []string{Started, number(child)})
		status := wait(child)
		_ = send(lifeFD, []string{Ended, number(int(status))})
		return // with the first process all others end
	}
}

// The answers to a batch of steps.
const (
	Done    = "done"    // all was carried out
	Started = "started" // and the command runs: its process id in the sandbox
	Failed  = "failed"  // why; see Explain
	Ended   = "ended"   // the command's wait status
)

// wait reaps until the command has ended.
func wait(child int) syscall.WaitStatus {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid == child {
			return status
		}
	}
}

// closeFrom closes all descriptors from one on: the server may have inherited some from whoever started it.
func closeFrom(fd uintptr) {
	const closeRange = 436 // close_range, Linux 5.9
	_, _, _ = syscall.RawSyscall(closeRange, fd, ^uintptr(0)>>32, 0)
}

// hide keeps the command away from this process: its memory and its program are nothing that it may read.
func hide() {
	const setDumpable = 4 // PR_SET_DUMPABLE
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, setDumpable, 0, 0)
}
