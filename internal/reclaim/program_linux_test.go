package reclaim_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/aloft-run/aloft/internal/reclaim"
)

const size = 4 << 20

// mapped maps a file of size bytes and reads all of it. It returns where it is.
func mapped(t *testing.T, name string, prot int) []byte {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	b, err := unix.Mmap(int(file.Fd()), 0, size, prot, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(b) })
	if n := bytes.Count(b, []byte("x")); n != size {
		t.Fatalf("%d bytes are mapped", n)
	}
	return b
}

func resident(t *testing.T, b []byte) int {
	t.Helper()
	n, err := reclaim.Resident(uintptr(unsafe.Pointer(unsafe.SliceData(b))))
	if err != nil || n < 0 {
		t.Fatalf("%d kB are resident: %v", n, err)
	}
	return n
}

// TestLeave gives back what is unchanged in a mapping, and nothing of one that a linker has written to.
func TestLeave(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "a program (deleted)")
	if err := os.WriteFile(name, bytes.Repeat([]byte("x"), size), 0o600); err != nil {
		t.Fatal(err)
	}
	pure := mapped(t, name, unix.PROT_READ)
	linked := mapped(t, name, unix.PROT_READ|unix.PROT_WRITE)
	linked[size/2] = 'y'
	if err := unix.Mprotect(linked, unix.PROT_READ); err != nil {
		t.Fatal(err)
	}
	if n := resident(t, pure); n < size>>10 {
		t.Fatalf("%d kB are resident before", n)
	}
	if err := reclaim.Leave(name); err != nil {
		t.Fatal(err)
	}
	if n := resident(t, pure); n != 0 {
		t.Errorf("%d kB are resident after", n)
	}
	if linked[size/2] != 'y' {
		t.Error("what was written is lost")
	}
	if n := bytes.Count(pure, []byte("x")); n != size {
		t.Errorf("%d bytes are there again", n)
	}
}

// TestMemory goes on after its own program's pages were given back, which are found.
func TestMemory(t *testing.T) {
	t.Parallel()
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := reclaim.Pure(exe); err != nil || n == 0 {
		t.Errorf("%d mappings are the program's, %v", n, err)
	}
	reclaim.Memory()
}
