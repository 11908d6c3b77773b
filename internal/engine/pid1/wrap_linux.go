package pid1

import (
	"syscall"
)

// firstFree is the first descriptor behind standard input, output and error.
const firstFree = 3

// cannotExecute is the exit status of a wrapper whose command cannot be executed, as of a shell.
const cannotExecute = 126

// wrap carries out steps on this process and turns it into a command: its arguments are the steps, in hexadecimal digits,
// the file to execute, and the command's own arguments.
func wrap() {
	closeFrom(firstFree)
	arguments, err := commandLine()
	if err == nil && len(arguments) < 4 {
		err = wireError("a command is missing")
	}
	var steps []Step
	if err == nil {
		steps, err = decode(arguments[1])
	}
	if err == nil {
		_, err = perform(steps, nil)
	}
	if err == nil {
		err = syscall.Exec(arguments[2], arguments[3:], environment())
	}
	_, _ = syscall.Write(2, []byte("aloft: cannot start the command: "+err.Error()+"\n"))
	syscall.Exit(cannotExecute)
}

// Encode returns steps as wrap's argument.
func Encode(steps []Step) string {
	const digits = "0123456789abcdef"
	raw := Pack(PackSteps(steps))
	text := make([]byte, 0, 2*len(raw))
	for _, b := range raw {
		text = append(text, digits[b>>4], digits[b&15])
	}
	return string(text)
}

func decode(text string) ([]Step, error) {
	raw := make([]byte, len(text)/2)
	for i := range raw {
		raw[i] = digit(text[2*i])<<4 | digit(text[2*i+1])
	}
	words, err := Unpack(raw)
	if err != nil {
		return nil, err
	}
	return unpack(words)
}

func digit(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}

// commandLine reads this process's arguments; package os, which knows them, is not initialised yet.
func commandLine() ([]string, error) {
	fd, err := syscall.Open("/proc/self/cmdline", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(fd)
	var all []byte
	chunk := make([]byte, 64<<10)
	for {
		n, err := syscall.Read(fd, chunk)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
		all = append(all, chunk[:n]...)
	}
	var words []string
	start := 0
	for i, c := range all {
		if c == 0 {
			words = append(words, string(all[start:i]))
			start = i + 1
		}
	}
	return words, nil
}

// environment is this process's without what made it a wrapper.
func environment() []string {
	var kept []string
	for _, kv := range syscall.Environ() {
		if len(kv) <= len(Env) || kv[:len(Env)+1] != Env+"=" {
			kept = append(kept, kv)
		}
	}
	return kept
}
