package attack

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func first() []Probe {
	open := func(path string, flag int) func(target) error {
		return func(target) error {
			f, err := os.OpenFile(path, flag, 0)
			if err == nil {
				err = f.Close()
			}
			return err
		}
	}
	return []Probe{
		{Name: "overwrite the server's program", From: isolated, try: open("/proc/1/exe", os.O_WRONLY)},
		{Name: "read the first process's environment", From: isolated, try: open("/proc/1/environ", os.O_RDONLY)},
		{Name: "open the first process's memory", From: isolated, try: open("/proc/1/mem", os.O_RDWR)},
		{Name: "inherit descriptors", From: isolated, try: func(target) error {
			entries, err := os.ReadDir("/proc/self/fd")
			for _, e := range entries {
				link, linkErr := os.Readlink("/proc/self/fd/" + e.Name())
				if n, _ := strconv.Atoi(e.Name()); n > 2 && linkErr == nil && !ownDescriptor(link) {
					return nil
				}
			}
			return errors.Join(err, errors.New("none beyond 0, 1 and 2"))
		}},
		{Name: "dump core", From: confined, try: func(target) error {
			var limit unix.Rlimit
			if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil {
				return err
			}
			if limit.Max == 0 {
				return errors.New("not allowed")
			}
			return nil
		}},
	}
}

// ownDescriptor reports whether a link of /proc/self/fd is of what this program opened itself: its runtime's poller, the
// directory being read, the bounds of its control group.
func ownDescriptor(link string) bool {
	return strings.Contains(link, "anon_inode") || strings.HasPrefix(link, "/proc/") || strings.HasPrefix(link, "/sys/fs/cgroup/")
}
