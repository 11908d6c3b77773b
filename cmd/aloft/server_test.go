package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// gatewayAddress is where the gateway of the script's server listens.
func gatewayAddress(ts *testscript.TestScript) string {
	var memory struct{ HTTP string }
	data, err := os.ReadFile(filepath.Join(ts.Getenv("ALOFT_HOME"), "server.json"))
	ts.Check(err)
	ts.Check(json.Unmarshal(data, &memory))
	return memory.HTTP
}

// serverPID is the process that holds the home's lock, 0 if none does.
func serverPID(home string) int {
	f, err := os.Open(filepath.Join(home, "server.lock"))
	if err != nil {
		return 0
	}
	defer f.Close()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil {
		return 0
	}
	data, _ := os.ReadFile(f.Name())
	pid, _ := strconv.Atoi(strings.TrimSpace(string(data)))
	return pid
}

// processes returns the command lines of all processes that can be seen.
func processes() map[int]string {
	found := map[int]string{}
	paths, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil || len(data) == 0 {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		found[pid] = strings.ReplaceAll(strings.TrimRight(string(data), "\x00"), "\x00", " ")
	}
	return found
}

// belongs reports whether a process is one that a server of the home directory started, or the server.
func belongs(pid int, command, home string) bool {
	dir, _ := os.Readlink("/proc/" + strconv.Itoa(pid) + "/cwd")
	// The name must end there: the directory of another script may begin like this one's.
	return strings.Contains(command+" ", home+" ") || strings.Contains(command, home+"/") || strings.HasPrefix(dir, home+"/")
}

// cleanUp ends every process that has to do with the directory of a script: servers in peace, the rest at once.
func cleanUp(dir string) {
	signal := func(sig syscall.Signal, of string) (found bool) {
		for pid, command := range processes() {
			if belongs(pid, command, dir) && strings.Contains(command, of) {
				found = true
				_ = syscall.Kill(pid, sig)
			}
		}
		return found
	}
	if signal(syscall.SIGTERM, " serve") {
		eventually(func() bool { return !signal(0, " serve") })
	}
	signal(syscall.SIGKILL, "")
}
