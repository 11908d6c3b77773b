package namespace

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/aloft-run/aloft/internal/engine/pid1"
)

// idMap returns a user namespace for a mount on which files of the user from seem to belong to the user to. A process has
// to live in it for the moment; it waits for steps that do not come.
func idMap(from, to int) (*os.File, error) {
	ours, theirs, err := newLink()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{"aloft-idmap"}, Env: []string{pid1.Env + "=1"}, ExtraFiles: []*os.File{theirs},
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags:  unix.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: from, HostID: to, Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: from, HostID: to, Size: 1}},
		},
	}
	if err := cmd.Start(); err != nil {
		_ = ours.Close()
		return nil, fmt.Errorf("map users: %w", err)
	}
	space, err := os.Open("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/ns/user")
	_ = ours.Close()
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if err != nil {
		return nil, fmt.Errorf("map users: %w", err)
	}
	return space, nil
}
