package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
)

// v1 is version 1: a tree per controller.
type v1 struct {
	parents map[string]string
	cpuset  string // which processors there are: this process's own, for Java believes in limits only where it finds all of them
}

// wanted are the controllers of version 1; the first two are needed.
func wanted() []string { return []string{"pids", "memory", "cpu", "cpuacct", "freezer"} }

func openV1(m mounts, server string) (*v1, error) {
	h := &v1{parents: map[string]string{}, cpuset: m.controllers["cpuset"]}
	for i, controller := range wanted() {
		base := m.controllers[controller]
		if base == "" {
			continue
		}
		dir := filepath.Join(base, server)
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			if i < 2 {
				return nil, fmt.Errorf("control groups may not be made: %w", err)
			}
			continue
		}
		h.parents[controller] = dir
	}
	return h, nil
}

func (h *v1) shown(name string) map[string]string {
	dirs := map[string]string{}
	for controller := range h.parents {
		dirs[mountPoint+"/"+controller] = h.dir(name, controller)
	}
	if h.cpuset != "" {
		dirs[mountPoint+"/cpuset"] = h.cpuset
	}
	return dirs
}

func (h *v1) dir(name, controller string) string { return filepath.Join(h.parents[controller], name) }

func (h *v1) dirs(name string) []string {
	var all []string
	for _, controller := range wanted() {
		if parent := h.parents[controller]; parent != "" {
			all = append(all, filepath.Join(parent, name))
		}
	}
	return all
}

func (h *v1) limit(name string, limits engine.Limits) error {
	set := func(controller, file, value string) error {
		if h.parents[controller] == "" {
			return nil
		}
		return write(filepath.Join(h.dir(name, controller), file), value)
	}
	var errs []error
	if limits.Memory > 0 {
		bytes := strconv.FormatInt(limits.Memory, 10)
		errs = append(errs, set("memory", "memory.limit_in_bytes", bytes))
		_ = set("memory", "memory.memsw.limit_in_bytes", bytes) // not there without swap accounting
	}
	if limits.Processes > 0 {
		errs = append(errs, set("pids", "pids.max", strconv.Itoa(limits.Processes)))
	}
	const wholeShare = 1024
	errs = append(errs, set("cpu", "cpu.shares", strconv.Itoa(max(2, int(share(limits)*wholeShare)))))
	if limits.CPU > 0 {
		_ = set("cpu", "cpu.cfs_period_us", strconv.Itoa(period))
		_ = set("cpu", "cpu.cfs_quota_us", quota(limits.CPU)) // not there in kernels without bandwidth control
	}
	return errors.Join(errs...)
}

// freezeTime is how long processes may take to stop; those in the middle of a disk operation take longest.
const freezeTime = time.Second

func (h *v1) freeze(name string, on bool) error {
	if h.parents["freezer"] == "" {
		return errors.ErrUnsupported
	}
	file, state := filepath.Join(h.dir(name, "freezer"), "freezer.state"), "THAWED"
	if on {
		state = "FROZEN"
	}
	for end := time.Now().Add(freezeTime); ; <-time.After(removePause) {
		if err := write(file, state); err != nil {
			return fmt.Errorf("freeze: %w", err)
		}
		text, err := os.ReadFile(file)
		if err != nil || strings.TrimSpace(string(text)) == state {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("freeze: processes do not stop within %s", freezeTime)
		}
	}
}

func (h *v1) usage(name string) (engine.Usage, error) {
	memory := h.dir(name, "memory")
	text, err := os.ReadFile(filepath.Join(memory, "memory.usage_in_bytes"))
	if err != nil {
		return engine.Usage{}, fmt.Errorf("measure: %w", err)
	}
	used, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	used -= readNumber(filepath.Join(memory, "memory.stat"), "total_inactive_file")
	u := engine.Usage{Memory: max(0, used), Processes: int(readNumber(filepath.Join(h.dir(name, "pids"), "pids.current"), ""))}
	if h.parents["cpuacct"] != "" {
		u.CPU = time.Duration(readNumber(filepath.Join(h.dir(name, "cpuacct"), "cpuacct.usage"), ""))
	}
	return u, nil
}

func (h *v1) oomKills(name string) int {
	return int(readNumber(filepath.Join(h.dir(name, "memory"), "memory.oom_control"), "oom_kill"))
}
