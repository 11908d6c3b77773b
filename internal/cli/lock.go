package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/aloft-run/aloft"
)

func lockPath(home string) string { return filepath.Join(home, "server.lock") }

// lockHome makes this process the only server of a home directory until the file is closed, here and in a server that it
// was passed on to. It returns Conflict, naming the holder, if there is one.
//
// Closing unlocks; the file stays, or two could hold locks on two files.
func lockHome(home string) (lock *os.File, err error) {
	f, err := os.OpenFile(lockPath(home), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, aloft.Errorf(aloft.Internal, "open the server's lock: %w", err).
			WithHint("set ALOFT_HOME or --home to a directory that you may write")
	}
	if err := lockSoon(f); err != nil {
		holder := lockHolder(home)
		_ = f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock the home directory: %w", err)
		}
		return nil, aloft.Errorf(aloft.Conflict, "another aloft server%s holds %s", holder, home).
			WithHint("stop it with `aloft stop --server`, or give this one its own --home")
	}
	if err := writeLock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// writeLock says in the lock who holds it.
func writeLock(f *os.File) error {
	err := f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	}
	if err != nil {
		return fmt.Errorf("write the server's lock: %w", err)
	}
	return nil
}

// lockSoon takes the lock. It tries for a moment: lockHeld takes it for an instant to look.
func lockSoon(f *os.File) error {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	var err error
	_ = poll(ctx, func() (bool, error) {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		return !errors.Is(err, syscall.EWOULDBLOCK), nil
	})
	return err
}

// lockHolder says who holds the lock, as far as is known.
func lockHolder(home string) string {
	data, err := os.ReadFile(lockPath(home))
	if pid := strings.TrimSpace(string(data)); err == nil && pid != "" {
		return " (pid " + pid + ")"
	}
	return ""
}

// lockHeld reports whether a server holds the home directory.
func lockHeld(home string) bool {
	f, err := os.Open(lockPath(home))
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	return syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) != nil
}

// noteHandover leaves a note that the server of the home is being replaced, for commands that wonder why it takes so long to
// answer, until done is called.
func noteHandover(home string) (done func()) {
	_ = os.WriteFile(handoverPath(home), nil, 0o600) // without it those commands give up sooner
	return func() { _ = os.Remove(handoverPath(home)) }
}

func handoverPath(home string) string { return filepath.Join(home, "server.handover") }

// isHandedOver reports whether the server of the home is being replaced.
func isHandedOver(home string) bool {
	_, err := os.Stat(handoverPath(home))
	return err == nil && lockHeld(home)
}
