package process

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/aloft-run/aloft/internal/engine/procfs"
)

// Reap kills the processes that an Engine with the run directory dir left behind when its program was killed, and
// returns how many. Nothing may use dir meanwhile. Only processes that a record names are touched, by the token in their
// environment or by pid, start time and boot.
func Reap(dir string) (int, error) {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read run directory: %w", err)
	}
	tokens, leaders := map[string]bool{}, map[int]uint64{}
	for _, e := range entries {
		tokens[e.Name()] = true
		if pid, born, ok := readRecord(filepath.Join(dir, e.Name())); ok {
			leaders[pid] = born
		}
	}
	killed := 0
	if len(tokens) > 0 {
		killed = procfs.KillUntilGone(func() []procfs.Process { return orphans(tokens, leaders) })
	}
	for token := range tokens {
		_ = os.Remove(filepath.Join(dir, token))
	}
	return killed, nil
}

func orphans(tokens map[string]bool, leaders map[int]uint64) []procfs.Process {
	all := procfs.All()
	alive := map[int]bool{} // leaders that still are who they were; their sessions are ours too
	for _, p := range all {
		if born, ok := leaders[p.PID]; ok && born == p.Born {
			alive[p.PID] = true
		}
	}
	self := os.Getpid()
	return procfs.Members(all, func(p procfs.Process) bool {
		return p.PID != self && (alive[p.PID] || alive[p.Session] || tokens[p.Getenv(marker)])
	})
}

// readRecord reports false for a record of another boot, or of a process that was not yet there.
func readRecord(path string) (pid int, born uint64, ok bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, false
	}
	boot := ""
	n, _ := fmt.Sscan(string(text), &pid, &born, &boot)
	return pid, born, n == 3 && pid > 1 && boot == procfs.BootID()
}
