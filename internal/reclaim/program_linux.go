package reclaim

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// leaveProgram gives the pages of the program's file back. The kernel maps much more of a file than was asked for (16 pages
// at least, and whole folios of its cache), and starting touches nearly all of this one: 45 of 55 MB were resident of which a
// server at rest uses a third.
func leaveProgram() {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	_ = leave(exe) // then they stay, which only costs memory
}

// leave gives back the pages of a file, wherever it is mapped and all of it is as it is in the file.
func leave(path string) error {
	file, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	all, err := mappings(file)
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.path != path || !m.isPure() {
			continue
		}
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, m.from, m.to-m.from, unix.MADV_DONTNEED); errno != 0 {
			return fmt.Errorf("madvise: %w", errno)
		}
	}
	return nil
}

// mapping is a part of the address space.
type mapping struct {
	from, to uintptr
	mode     string // "r-xp"
	path     string
	changed  bool // some page is not the file's any more: it was written to, by the linker or a debugger
	kB       int  // that are resident
}

// isPure reports whether what is read there after the pages were given back is what was there before.
func (m mapping) isPure() bool {
	return strings.HasPrefix(m.mode, "r-") && strings.HasSuffix(m.mode, "p") && !m.changed
}

// mappings reads the format of /proc/PID/smaps (proc_pid_smaps(5)): a line "FROM-TO MODE OFFSET DEVICE INODE PATH", then lines "Key: N kB".
func mappings(from io.Reader) (all []mapping, err error) {
	in := bufio.NewScanner(from)
	for in.Scan() {
		if key, value, ok := strings.Cut(in.Text(), ": "); ok && len(all) > 0 && !strings.Contains(key, " ") {
			n := 0
			_, _ = fmt.Sscan(value, &n) // some have words
			m := &all[len(all)-1]
			switch key {
			case "Rss":
				m.kB = n
			case "Anonymous", "Swap":
				m.changed = m.changed || n > 0
			}
			continue
		}
		var m mapping
		var skip string
		n, err := fmt.Sscanf(in.Text(), "%x-%x %s %s %s %s", &m.from, &m.to, &m.mode, &skip, &skip, &skip)
		if err != nil {
			return nil, fmt.Errorf("read mappings: %q: field %d: %w", in.Text(), n, err)
		}
		if _, path, ok := strings.Cut(in.Text(), "/"); ok {
			m.path = "/" + path
		}
		all = append(all, m)
	}
	return all, in.Err()
}
