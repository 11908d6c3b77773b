package messages_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aloftest"
	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

// TestDiskFull fills a real disk: what was accepted is there and can be worked on; what was not is refused with a reason; with
// room again all goes on.
func TestDiskFull(t *testing.T) { aloftest.OnSmallDisk(t, "2m", onSmallDisk) }

func onSmallDisk(t *testing.T, disk string) {
	t.Helper()
	s := open(t, filepath.Join(disk, "messages.db"))
	put := func(id string) error {
		_, err := s.Put(t.Context(), messages.Put{Queue: "q", ID: id, Body: make([]byte, 20<<10)})
		return err
	}
	accepted := 0
	var err error
	for ; err == nil; accepted++ {
		err = put(fmt.Sprint(accepted))
	}
	accepted--
	var e *aloft.Error
	if !errors.As(err, &e) || e.Code != aloft.Internal || !strings.Contains(e.Message, "full") || e.Hint == "" || accepted < 10 {
		t.Fatalf("after %d messages: %v", accepted, err)
	}
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, make([]byte, 1<<20), 0o600); err == nil {
		t.Error("the disk was not full")
	}
	if got := peek(t, s); got != accepted {
		t.Errorf("%d messages are there, %d were accepted", got, accepted)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	// Whoever works on messages may need room that there is not, and tries again until there is.
	claimed, err := s.Claim(t.Context(), messages.Claim{Queue: "q", Max: 5, Visibility: time.Hour})
	t.Logf("claimed %d on the full disk: %v", len(claimed), err)
	if err := s.Close(); err != nil {
		t.Logf("closed on the full disk: %v", err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=8m"); err != nil {
		t.Fatal(err)
	}
	s = open(t, filepath.Join(disk, "messages.db"))
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if got := peek(t, s); got != accepted {
		t.Errorf("with room again %d messages are there, %d were accepted", got, accepted)
	}
	if err := put("more"); err != nil {
		t.Error(err)
	}
}

func peek(t *testing.T, s *messages.Store) int {
	t.Helper()
	all, err := s.Peek(t.Context(), "q", 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
