package filter

import "golang.org/x/sys/unix"

const (
	arch       = unix.AUDIT_ARCH_AARCH64
	x32        = false
	x32Bit     = 0
	cloneFlags = 0
)

//nolint:gochecknoglobals // a table
var ofThisProcessor = []uint32{unix.SYS_KEXEC_FILE_LOAD}
