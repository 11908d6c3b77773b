package pid1

import (
	"syscall"
	"unsafe"
)

// The numbers of calls that package syscall is too old for; they are the same on all processors.
const (
	sysOpenTree     = 428
	sysMoveMount    = 429
	sysMountSetattr = 442

	openTreeClone   = 1
	openTreeCloexec = syscall.O_CLOEXEC
	atRecursive     = 0x8000
	atEmptyPath     = 0x1000
	moveFEmptyPath  = 4
)

// Attributes of a Bind, those of mount_setattr(2).
const (
	ReadOnly = 1
	NoSuid   = 2
	NoDev    = 4
	NoExec   = 8
)

func mkdirAll(path string, mode int) error {
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			continue
		}
		m := uint32(0o755)
		if i == len(path) {
			m = uint32(mode)
		}
		if err := syscall.Mkdir(path[:i], m); err != nil && err != syscall.EEXIST {
			return err
		}
	}
	return nil
}

func write(path string, mode int, content string) error {
	fd, err := syscall.Open(path, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_TRUNC|syscall.O_CLOEXEC, uint32(mode))
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	for b := []byte(content); len(b) > 0; {
		n, err := syscall.Write(fd, b)
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// bind shows a part of the machine's file systems at path, which is made: a directory, or a file if the source is one.
func bind(source, path string, attributes int, files []int) error {
	tree, err := openTree(source, files)
	if err != nil {
		return err
	}
	defer syscall.Close(tree)
	var info syscall.Stat_t
	if err := syscall.Fstat(tree, &info); err != nil {
		return err
	}
	if info.Mode&syscall.S_IFMT == syscall.S_IFDIR {
		err = mkdirAll(path, 0o755)
	} else {
		err = touch(path)
	}
	if err != nil {
		return err
	}
	if err := setAttributes(tree, attributes); err != nil {
		return err
	}
	from, to := []byte("\x00"), append([]byte(path), 0)
	const workingDir = ^uintptr(99) // AT_FDCWD
	_, _, errno := syscall.Syscall6(sysMoveMount, uintptr(tree), pointer(&from[0]), workingDir, pointer(&to[0]), moveFEmptyPath, 0)
	return result(errno)
}

func openTree(source string, files []int) (int, error) {
	if fd, ok := file(source, files); ok {
		return syscall.Dup(fd)
	}
	path := append([]byte(source), 0)
	const workingDir = ^uintptr(99)
	fd, _, errno := syscall.Syscall(sysOpenTree, workingDir, pointer(&path[0]), openTreeClone|openTreeCloexec|atRecursive)
	return int(fd), result(errno)
}

// file is the descriptor that a word such as "#2" stands for.
func file(word string, files []int) (int, bool) {
	if len(word) < 2 || word[0] != '#' {
		return 0, false
	}
	n := integer(word[1:])
	if n >= len(files) {
		return 0, false
	}
	return files[n], true
}

func setAttributes(tree, attributes int) error {
	attr := [4]uint64{uint64(attributes)} // struct mount_attr: attr_set, attr_clr, propagation, userns_fd
	empty := []byte("\x00")
	_, _, errno := syscall.Syscall6(sysMountSetattr, uintptr(tree), pointer(&empty[0]), atEmptyPath|atRecursive, pointer(&attr[0]), unsafe.Sizeof(attr), 0)
	return result(errno)
}

func touch(path string) error {
	fd, err := syscall.Open(path, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_CLOEXEC, 0o644)
	if err == syscall.EROFS || err == syscall.EACCES || err == syscall.EISDIR || err == syscall.ENXIO {
		return nil // it is there; the mount will say if not
	}
	if err != nil {
		return err
	}
	return syscall.Close(fd)
}

// pivot makes path the root. The old root is stacked on it and taken off again, see pivot_root(2).
func pivot(path string) error {
	if err := syscall.Chdir(path); err != nil {
		return err
	}
	if err := syscall.PivotRoot(".", "."); err != nil {
		return err
	}
	if err := syscall.Unmount(".", syscall.MNT_DETACH); err != nil {
		return err
	}
	return syscall.Chdir("/")
}

func result(errno syscall.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}
