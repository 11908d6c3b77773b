package attack

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

func files() []Probe {
	read := func(path string) func(target) error {
		return func(target) error { _, err := os.ReadFile(path); return err }
	}
	write := func(path string) func(target) error {
		return func(target) error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err == nil {
				err = f.Close()
			}
			return err
		}
	}
	create := func(dir string) func(target) error {
		return func(target) error {
			path := filepath.Join(dir, "aloft-probe")
			err := os.WriteFile(path, nil, 0o600)
			_ = os.Remove(path)
			return err
		}
	}
	return []Probe{
		{Name: "read the server's state", From: confined, try: func(t target) error { return contains(t.File, t.Secret) }},
		{Name: "read the other tenant's temporary file", From: confined, try: func(t target) error { return contains(t.TempFile, t.Secret) }},
		{Name: "read /etc/shadow", From: isolated, try: read("/etc/shadow")},
		{Name: "read /dev/mem", From: isolated, try: read("/dev/mem")},
		{Name: "read the kernel's log", From: confined, try: func(target) error { _, err := unix.Klogctl(3, make([]byte, 64)); return err }},
		{Name: "create a file in /usr", From: confined, try: create("/usr")},
		{Name: "create a file in /etc", From: confined, try: create("/etc")},
		{Name: "write a kernel setting", From: confined, try: write("/proc/sys/kernel/core_pattern")},
		{Name: "write to /sys", From: confined, try: write("/sys/kernel/uevent_helper")},
		{Name: "join another control group", From: confined, try: write("/sys/fs/cgroup/pids/cgroup.procs")},
		{Name: "change the released code", From: isolated, try: func(t target) error {
			return os.WriteFile(filepath.Join(t.Tree, "changed"), []byte("x"), 0o600)
		}, after: func(w *world) error { _, err := os.Stat(filepath.Join(w.tree, "changed")); return err }},
		{Name: "make a device", From: confined, try: func(target) error {
			path := filepath.Join(os.TempDir(), "device")
			defer os.Remove(path)
			return unix.Mknod(path, unix.S_IFBLK|0o600, 8<<8)
		}},
	}
}
