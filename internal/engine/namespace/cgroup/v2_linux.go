package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
)

// v2 is version 2: one tree.
type v2 struct{ parent string }

// openV2 finds a group in which others can be made. Root takes one below the root; an ordinary user needs one that the
// system handed over (delegation).
func openV2(m mounts, server string) (*v2, error) {
	if m.unified == "" {
		return nil, errors.New("control groups are not mounted")
	}
	base := m.unified
	if os.Geteuid() != 0 || m.own == m.unified {
		base = m.own
	}
	h := &v2{parent: filepath.Join(base, server)}
	if err := os.Mkdir(h.parent, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("control groups may not be made: %w", err)
	}
	if err := enable(base); err != nil && base != m.unified {
		// A group that passes controllers on may hold no processes itself: this one moves to a leaf.
		if err := leave(base); err != nil {
			return nil, err
		}
		if err := enable(base); err != nil {
			return nil, err
		}
	}
	if err := enable(h.parent); err != nil {
		return nil, err
	}
	return h, nil
}

// enable passes the controllers of a group on to those below it.
func enable(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return fmt.Errorf("read controllers: %w", err)
	}
	there := strings.Fields(string(text))
	for _, needed := range []string{"memory", "pids"} {
		if !slices.Contains(there, needed) {
			return fmt.Errorf("the controller %q is not handed over to %s", needed, dir)
		}
	}
	for _, controller := range []string{"memory", "pids", "cpu"} {
		if !slices.Contains(there, controller) {
			continue // without cpu there are no shares
		}
		if err := write(filepath.Join(dir, "cgroup.subtree_control"), "+"+controller); err != nil {
			return fmt.Errorf("pass the controller %q on: %w", controller, err)
		}
	}
	return nil
}

// leave moves this process from a group to a leaf of it.
func leave(base string) error {
	leaf := filepath.Join(base, "aloft-server")
	if err := os.Mkdir(leaf, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make a control group for the server: %w", err)
	}
	if err := write(filepath.Join(leaf, "cgroup.procs"), strconv.Itoa(os.Getpid())); err != nil {
		return fmt.Errorf("move the server to a control group of its own: %w", err)
	}
	return nil
}

func (h *v2) dir(name string) string { return filepath.Join(h.parent, name) }

func (h *v2) shown(name string) map[string]string { return map[string]string{mountPoint: h.dir(name)} }

func (h *v2) dirs(name string) []string { return []string{h.dir(name)} }

func (h *v2) limit(name string, limits engine.Limits) error {
	dir := h.dir(name)
	set := func(file, value string) error { return write(filepath.Join(dir, file), value) }
	var errs []error
	if limits.Memory > 0 {
		errs = append(errs, set("memory.max", strconv.FormatInt(limits.Memory, 10)), set("memory.oom.group", "1"))
		_ = set("memory.swap.max", "0") // not there without swap
	}
	if limits.Processes > 0 {
		errs = append(errs, set("pids.max", strconv.Itoa(limits.Processes)))
	}
	const wholeWeight = 100
	_ = set("cpu.weight", strconv.Itoa(min(10_000, max(1, int(share(limits)*wholeWeight))))) // cpu may not be handed over
	if limits.CPU > 0 {
		_ = set("cpu.max", quota(limits.CPU)+" "+strconv.Itoa(period))
	}
	return errors.Join(errs...)
}

func (h *v2) freeze(name string, on bool) error {
	dir, value := h.dir(name), "0"
	if on {
		value = "1"
	}
	if err := write(filepath.Join(dir, "cgroup.freeze"), value); err != nil {
		return fmt.Errorf("freeze: %w", err)
	}
	for end := time.Now().Add(freezeTime); on && readNumber(filepath.Join(dir, "cgroup.events"), "frozen") == 0; <-time.After(removePause) {
		if time.Now().After(end) {
			return fmt.Errorf("freeze: processes do not stop within %s", freezeTime)
		}
	}
	return nil
}

func (h *v2) usage(name string) (engine.Usage, error) {
	dir := h.dir(name)
	text, err := os.ReadFile(filepath.Join(dir, "memory.current"))
	if err != nil {
		return engine.Usage{}, fmt.Errorf("measure: %w", err)
	}
	used, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	used -= readNumber(filepath.Join(dir, "memory.stat"), "inactive_file")
	return engine.Usage{
		Memory:    max(0, used),
		CPU:       time.Duration(readNumber(filepath.Join(dir, "cpu.stat"), "usage_usec")) * time.Microsecond,
		Processes: int(readNumber(filepath.Join(dir, "pids.current"), "")),
	}, nil
}

func (h *v2) oomKills(name string) int {
	return int(readNumber(filepath.Join(h.dir(name), "memory.events"), "oom_kill"))
}
