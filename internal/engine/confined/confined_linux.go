// Package confined is the engine for machines that let nobody make namespaces: processes of the engine process, each
// confined by Landlock and a system call filter to its own files, signals and a list of TCP ports.
package confined

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/filter"
	"github.com/aloft-run/aloft/internal/engine/landlock"
	"github.com/aloft-run/aloft/internal/engine/pid1"
	"github.com/aloft-run/aloft/internal/engine/process"
	"github.com/aloft-run/aloft/internal/engine/program"
)

var _ engine.Engine = (*Engine)(nil)

// needed is the version of Landlock that bounds TCP.
const needed = 4

// Engine starts confined processes.
type Engine struct {
	*process.Engine

	landlock int
	filter   []byte
	visible  []string
}

// New returns an Engine that keeps records in runDir as the engine process does. Sandboxes may read the directories
// visible besides the system's. It fails if this kernel cannot confine.
func New(runDir string, visible []string) (*Engine, error) {
	e := &Engine{Engine: process.New(runDir), landlock: landlock.Version(), visible: visible}
	if e.landlock < needed {
		return nil, fmt.Errorf("confining processes needs Landlock of version %d (Linux 6.7), this kernel has version %d", needed, e.landlock)
	}
	var err error
	e.filter, err = filter.Program()
	return e, err
}

// Name returns "confined".
func (*Engine) Name() string { return "confined" }

// Level returns Confined.
func (*Engine) Level() engine.Level { return engine.Confined }

// Isolation says what is kept apart and what not.
func (*Engine) Isolation() string {
	return "confined: files, signals and TCP ports are kept apart by Landlock; UDP, the list of processes, memory and processor time are not"
}

// Start implements engine.Engine.
func (e *Engine) Start(ctx context.Context, spec engine.Spec) (engine.Sandbox, error) {
	path, err := program.Find(spec, nil)
	if err != nil {
		return nil, err
	}
	if err := executable(path); err != nil {
		return nil, program.Explain(err, path, spec, nil)
	}
	spec.Command = slices.Concat([]string{"/proc/self/exe", pid1.Encode(e.steps(spec)), path}, spec.Command)
	spec.Env = append(slices.Clone(spec.Env), pid1.Env+"="+pid1.Wrap)
	return e.Engine.Start(ctx, spec)
}

// steps confine the command.
func (e *Engine) steps(spec engine.Spec) []pid1.Step {
	policy := landlock.Policy{
		Read:    slices.Concat(systemDirs(), e.visible),
		Write:   slices.Concat([]string{"/dev"}, spec.Shared),
		Connect: ports(),
	}
	if spec.Opt != "" {
		policy.Read = append(policy.Read, spec.Opt)
	}
	for _, dir := range []string{spec.Tree, spec.Private} {
		if dir != "" {
			policy.Write = append(policy.Write, dir)
		}
	}
	for _, service := range spec.Services {
		if addr, err := net.ResolveTCPAddr("tcp", service.Address); err == nil {
			policy.Connect = append(policy.Connect, addr.Port)
		}
	}
	return []pid1.Step{
		{pid1.Limit, fmt.Sprint(unix.RLIMIT_CORE), "0"},
		{pid1.Lock},
		append(pid1.Step{pid1.Landlock}, landlock.Rules(e.landlock, policy)...),
		{pid1.Seccomp, string(e.filter)},
	}
}

func systemDirs() []string {
	return []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix/store", "/snap", "/var/lib/gems", "/proc", "/sys/fs/cgroup", "/run/systemd/resolve"}
}

// ports are those that apps connect to: secure web, names, mail, and the usual databases and queues. Plain web (80) is not
// among them, because clouds answer there with the machine's credentials.
func ports() []int {
	return []int{443, 53, 465, 587, 993, 1433, 1521, 3306, 5432, 5671, 5672, 6379, 8443, 9042, 9092, 9200, 11211, 27017}
}

// executable finds out what the system would say without starting anything.
func executable(path string) error {
	head := make([]byte, 256)
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	n, _ := f.Read(head)
	line, _, _ := strings.Cut(string(head[:n]), "\n")
	switch interpreter, script := strings.CutPrefix(line, "#!"); {
	case script:
		fields := strings.Fields(interpreter)
		if len(fields) == 0 || strings.HasSuffix(line, "\r") {
			return unix.ENOENT
		}
		if _, err := os.Stat(fields[0]); errors.Is(err, os.ErrNotExist) && filepath.IsAbs(fields[0]) {
			return unix.ENOENT
		}
		return nil
	case strings.HasPrefix(line, "\x7fELF"):
		return nil
	}
	return unix.ENOEXEC
}
