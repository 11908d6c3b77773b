package attack

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func others() []Probe {
	proc := func(name string) func(t target) error {
		return func(t target) error { return contains("/proc/"+strconv.Itoa(t.PID)+"/"+name, t.Secret) }
	}
	return []Probe{
		{Name: "read the other tenant's environment", From: confined, try: proc("environ")},
		{Name: "read the other tenant's files by /proc", From: confined, try: func(t target) error {
			return contains("/proc/"+strconv.Itoa(t.PID)+"/root"+t.TempFile, t.Secret)
		}},
		{Name: "open the other tenant's memory", From: confined, try: func(t target) error {
			f, err := os.Open("/proc/" + strconv.Itoa(t.PID) + "/mem")
			if err == nil {
				err = f.Close()
			}
			return err
		}},
		{Name: "see the other tenant's process", From: isolated, try: func(target) error {
			lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, file := range lines {
				if text, _ := os.ReadFile(file); strings.Contains(string(text), "\x00"+victimWord+"\x00") {
					return nil
				}
			}
			return errors.Join(err, errors.New("not there"))
		}},
		{Name: "signal the other tenant", From: confined, try: func(t target) error { return unix.Kill(t.PID, 0) }},
		{Name: "signal the server", From: confined, try: func(t target) error { return unix.Kill(t.Daemon, 0) }},
		{Name: "trace the other tenant", From: confined, try: func(t target) error { return unix.PtraceSeize(t.PID) }},
		{Name: "read the other tenant's memory by system call", From: confined, try: func(t target) error {
			b := make([]byte, 8)
			local := []unix.Iovec{{Base: &b[0], Len: 8}}
			_, err := unix.ProcessVMReadv(t.PID, local, []unix.RemoteIovec{{Base: 0x1000, Len: 8}}, 0)
			return permitted(err)
		}},
	}
}
