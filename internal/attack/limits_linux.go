package attack

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func limits() []Probe {
	return []Probe{
		{Name: "start 400 processes", From: isolated, try: func(target) error {
			var all []*exec.Cmd
			defer func() {
				for _, c := range all {
					_ = c.Process.Kill()
					_ = c.Wait()
				}
			}()
			for range 400 {
				c := exec.Command("/bin/sleep", "30") //nolint:noctx // killed below
				if err := c.Start(); err != nil {
					return err
				}
				all = append(all, c)
			}
			return nil
		}},
		{Name: "use twice the memory", From: isolated, try: func(target) error {
			const size = 2 * memory
			b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
			if err != nil {
				return err
			}
			for i := 0; i < size; i += 4096 {
				b[i] = 1
			}
			time.Sleep(time.Second) //nolint:forbidigo // where memory is watched, not bounded, that takes a moment
			_ = *(*byte)(unsafe.Pointer(&b[0]))
			return nil
		}},
		{Name: "raise its own bound of memory", From: isolated, try: raiseMemory},
		{Name: "fill the temporary directory", From: isolated, try: func(target) error {
			path := filepath.Join(os.TempDir(), "big")
			defer os.Remove(path)
			return os.WriteFile(path, make([]byte, 2*temp), 0o600)
		}},
		{Name: "make a hundred thousand files", From: isolated, try: func(target) error {
			for i := range 100_000 {
				if err := os.WriteFile(filepath.Join(os.TempDir(), "f"+strconv.Itoa(i)), nil, 0o600); err != nil { //nolint:gosec // its own directory
					return err
				}
			}
			return nil
		}},
	}
}

func raiseMemory(target) error {
	err := errors.New("there is none")
	for _, name := range []string{"memory/memory.limit_in_bytes", "memory.max"} {
		file := "/sys/fs/cgroup/" + name
		if _, missing := os.Stat(file); missing != nil {
			continue
		}
		if err = os.WriteFile(file, []byte("1000000000"), 0); err == nil {
			return nil
		}
	}
	return err
}
