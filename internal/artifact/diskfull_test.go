package artifact_test

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aloftest"
	"github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/source"
)

// TestDiskFull stores and unpacks on a real full disk.
func TestDiskFull(t *testing.T) { aloftest.OnSmallDisk(t, "1m", onSmallDisk) }

func onSmallDisk(t *testing.T, disk string) {
	t.Helper()
	store, err := artifact.Open(filepath.Join(disk, "artifacts"))
	must(t, err)
	src := t.TempDir()
	noise := make([]byte, 3<<20)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	write(t, src, map[string]string{"noise": string(noise)})
	archive := pack(t, scan(t, src, source.Options{}), artifact.PackOptions{})
	_, err = store.Put(t.Context(), archive)
	coded(t, err, aloft.Internal, disk, "no space left on device")
	noLeftovers(t, filepath.Join(disk, "artifacts"))
	if store.Has(archive.Artifact().Digest) {
		t.Error("the store has what did not fit")
	}

	zeros := t.TempDir() // fits packed, not unpacked
	write(t, zeros, map[string]string{"zeros": string(make([]byte, 3<<20))})
	made := put(t, store, pack(t, scan(t, zeros, source.Options{}), artifact.PackOptions{}))
	dst := filepath.Join(disk, "app")
	err = store.Extract(t.Context(), made.Digest, dst)
	coded(t, err, aloft.Internal, disk, "no space left on device")
	if left, _ := filepath.Glob(dst + "*"); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("the cause is lost: %v", err)
	}
	err = scan(t, zeros, source.Options{}).Copy(t.Context(), dst)
	coded(t, err, aloft.Internal, disk, "no space left on device")
}
