// Package cgroup bounds and measures sandboxes through the kernel's control groups, of version 1 or 2.
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

// Parent is the group below which those of one server's sandboxes lie.
type Parent struct{ hierarchy hierarchy }

// Group is the group of one sandbox.
type Group struct {
	hierarchy hierarchy
	name      string
}

// hierarchy is one version of control groups.
type hierarchy interface {
	limit(name string, limits engine.Limits) error
	// dirs are the directories of a group; the first counts processes.
	dirs(name string) []string
	freeze(name string, on bool) error
	usage(name string) (engine.Usage, error)
	oomKills(name string) int
	// shown is where the group would be found if it were the machine's: its directories by mount point.
	shown(name string) map[string]string
}

// Open returns a Parent named after the server, made if it is not there. It fails if this process may not make groups that
// bound memory and processes; the error says what is missing.
func Open(server string) (*Parent, error) {
	mounts, err := readMounts()
	if err != nil {
		return nil, err
	}
	var h hierarchy
	if mounts.controllers["memory"] != "" && mounts.controllers["pids"] != "" {
		h, err = openV1(mounts, server)
	} else {
		h, err = openV2(mounts, server)
	}
	if err != nil {
		return nil, err
	}
	p := &Parent{h}
	probe, err := p.New("probe-" + strconv.Itoa(os.Getpid()))
	if err == nil {
		err = errors.Join(probe.Limit(engine.Limits{Memory: 64 << 20, Processes: 16}), probe.Remove())
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Sweep ends and removes what an earlier server of this name left.
func (p *Parent) Sweep() error {
	var errs []error
	for _, name := range children(p.hierarchy.dirs("")[0]) {
		g := &Group{p.hierarchy, name}
		_ = g.Freeze(false)
		for _, pid := range g.Processes() {
			if process, err := os.FindProcess(pid); err == nil {
				_ = process.Kill()
			}
		}
		errs = append(errs, g.Remove())
	}
	return errors.Join(errs...)
}

// Close removes the Parent. Groups that are still there keep it.
func (p *Parent) Close() {
	for _, dir := range p.hierarchy.dirs("") {
		_ = os.Remove(dir)
	}
}

// New makes a group without limits.
func (p *Parent) New(name string) (*Group, error) {
	g := &Group{p.hierarchy, name}
	for _, dir := range p.hierarchy.dirs(name) {
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			_ = g.Remove()
			return nil, fmt.Errorf("make control group: %w", err)
		}
	}
	return g, nil
}

// Limit bounds the group.
func (g *Group) Limit(limits engine.Limits) error {
	if err := g.hierarchy.limit(g.name, limits); err != nil {
		return fmt.Errorf("bound control group: %w", err)
	}
	return nil
}

// Add moves a process into the group; what it starts from then on is in the group too. The kernel takes some milliseconds
// for that.
func (g *Group) Add(pid int) error {
	for _, dir := range g.hierarchy.dirs(g.name) {
		if err := write(filepath.Join(dir, "cgroup.procs"), strconv.Itoa(pid)); err != nil {
			return fmt.Errorf("join control group: %w", err)
		}
	}
	return nil
}

// Processes lists the processes of the group.
func (g *Group) Processes() []int {
	text, _ := os.ReadFile(filepath.Join(g.hierarchy.dirs(g.name)[0], "cgroup.procs"))
	var pids []int
	for word := range strings.FieldsSeq(string(text)) {
		if pid, err := strconv.Atoi(word); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Freeze stops all processes of the group, or lets them go on. It returns when they have stopped.
func (g *Group) Freeze(on bool) error { return g.hierarchy.freeze(g.name, on) }

// Usage says what the group uses.
func (g *Group) Usage() (engine.Usage, error) { return g.hierarchy.usage(g.name) }

// OutOfMemory reports whether a process of the group was killed because of its memory limit.
func (g *Group) OutOfMemory() bool { return g.hierarchy.oomKills(g.name) > 0 }

// Shown are the directories of the group by the paths at which programs look for their limits: Java, Node.js and .NET size
// their heaps and pools by what they find there.
func (g *Group) Shown() map[string]string { return g.hierarchy.shown(g.name) }

// Remove removes the group, whose processes have ended. The kernel may take a moment to notice that.
func (g *Group) Remove() error {
	var errs []error
	for _, dir := range g.hierarchy.dirs(g.name) {
		errs = append(errs, removeSoon(dir))
	}
	return errors.Join(errs...)
}

// children are the names of the groups in a directory.
func children(dir string) []string {
	entries, _ := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

const (
	removeTime  = 2 * time.Second
	removePause = time.Millisecond
)

func removeSoon(dir string) error {
	for end := time.Now().Add(removeTime); ; <-time.After(removePause) {
		err := os.Remove(dir)
		if err == nil || errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("remove control group: %w", err)
		}
	}
}

// write sets a value. The file is there if the controller is.
func write(path, value string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// readNumber returns the number in a file, or behind a key in one of "key value" lines; 0 if there is none.
func readNumber(path, key string) int64 {
	text, _ := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if key == "" && len(fields) == 1 || len(fields) == 2 && fields[0] == key {
			n, _ := strconv.ParseInt(fields[len(fields)-1], 10, 64)
			return n
		}
	}
	return 0
}

// period is that of processor quotas, in microseconds.
const period = 100_000

// quota is how many microseconds of processor a sandbox may use in each period.
func quota(cpu float64) string { return strconv.Itoa(max(1000, int(cpu*period))) }

// memoryPerCPU is how many bytes of memory come with a whole processor, as on Lambda (1,769 MB).
const memoryPerCPU = 1769 << 20

// share is the part of a processor that goes with a sandbox's memory when there are not enough for all, 1 without a bound.
func share(limits engine.Limits) float64 {
	if limits.Memory == 0 {
		return 1
	}
	return float64(limits.Memory) / memoryPerCPU
}
