// Package landlock says in the words of package pid1 what a command may reach through the kernel's Landlock.
package landlock

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// Policy is what is allowed; everything else that this kernel's Landlock bounds is refused.
type Policy struct {
	Read    []string // directories and files that may be read and executed
	Write   []string // directories that may be changed too
	Connect []int    // TCP ports that may be connected to; nil: all
}

// Version returns which version of Landlock the kernel has, 0 if none.
func Version() int {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(version)
}

const (
	readRights = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	allFirst   = 1<<13 - 1 // of version 1

	referVersion, truncateVersion, netVersion, ioctlVersion, scopeVersion = 2, 3, 4, 5, 6
)

// Rules are the operands of the step pid1.Landlock.
func Rules(version int, p Policy) []string {
	files := allFirst
	for _, later := range []struct{ version, right int }{
		{referVersion, unix.LANDLOCK_ACCESS_FS_REFER},
		{truncateVersion, unix.LANDLOCK_ACCESS_FS_TRUNCATE},
		{ioctlVersion, unix.LANDLOCK_ACCESS_FS_IOCTL_DEV},
	} {
		if version >= later.version {
			files |= later.right
		}
	}
	network, scopes := 0, 0
	if version >= netVersion && p.Connect != nil {
		network = unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if version >= scopeVersion {
		scopes = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	rules := []string{strconv.Itoa(scopes), strconv.Itoa(files), strconv.Itoa(network)}
	for _, path := range p.Read {
		rules = append(rules, strconv.Itoa(readRights), path)
	}
	for _, path := range p.Write {
		rules = append(rules, strconv.Itoa(files), path)
	}
	if network != 0 {
		for _, port := range p.Connect {
			rules = append(rules, strconv.Itoa(network), ":"+strconv.Itoa(port))
		}
	}
	return rules
}
