package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mountPoint is where programs expect control groups.
const mountPoint = "/sys/fs/cgroup"

// mounts says where the control groups of this process are.
type mounts struct {
	controllers map[string]string // of version 1: the directory of this process's group
	unified     string            // of version 2: the mount point; "" if it is not mounted
	own         string            // of version 2: the directory of this process's group
}

func readMounts() (mounts, error) {
	m := mounts{controllers: map[string]string{}}
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return m, fmt.Errorf("find control groups: %w", err)
	}
	paths := ownPaths()
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		dash := slices.Index(fields, "-")
		if dash < 5 || dash+3 >= len(fields) {
			continue
		}
		point, options := fields[4], strings.Split(fields[dash+3], ",")
		switch fields[dash+1] {
		case "cgroup2":
			m.unified, m.own = point, below(point, paths[""])
		case "cgroup":
			for _, option := range options {
				if path, ok := paths[option]; ok && option != "" {
					m.controllers[option] = below(point, path)
				}
			}
		}
	}
	return m, nil
}

// ownPaths are the groups of this process by controller, that of version 2 by "".
func ownPaths() map[string]string {
	paths := map[string]string{}
	text, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		for name := range strings.SplitSeq(fields[1], ",") {
			paths[name] = fields[2]
		}
	}
	return paths
}

// below is the directory of a group; in a container its path may be one that only the host sees.
func below(point, path string) string {
	dir := filepath.Join(point, path)
	if _, err := os.Stat(dir); err != nil {
		return point
	}
	return dir
}
