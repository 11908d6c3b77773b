package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/aloft-run/aloft"
)

// shared is this process's use of a directory of caches that parallel commands share. Each holds a lock together with the others as
// long as it works there; who gets it alone may free things.
type shared struct {
	dir  string
	own  string // a directory of this process alone
	lock *os.File
}

// share begins to use a directory.
func share(dir string) (*shared, error) {
	lock, err := openLock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, err
	}
	s := &shared{dir: dir, lock: lock}
	// Who frees things holds it alone for a moment.
	if err = syscall.Flock(int(lock.Fd()), syscall.LOCK_SH); err == nil {
		if err = os.MkdirAll(s.runs(), 0o700); err == nil {
			s.own, err = os.MkdirTemp(s.runs(), "")
		}
	}
	if err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("use %s: %w", dir, err)
	}
	return s, nil
}

// runs is where the directories of processes are.
func (s *shared) runs() string { return filepath.Join(s.dir, "run") }

func openLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, aloft.Errorf(aloft.Internal, "open a lock: %w", err).WithHint("set ALOFT_HOME or --home to a directory that you may write")
	}
	return f, nil
}

// close ends the use. If nobody else uses the directory, tidy frees what is not needed, and what killed processes left goes too.
// That it fails is no matter of the command's: the next one tries again.
func (s *shared) close(tidy func() error) {
	_ = os.RemoveAll(s.own)
	if syscall.Flock(int(s.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		_ = os.RemoveAll(s.runs())
		s.tidy(tidy)
	}
	_ = s.lock.Close()
}

// tidy frees what is not needed, unless that was done a moment ago.
func (s *shared) tidy(free func() error) {
	mark := filepath.Join(s.dir, "tidied")
	if info, err := os.Stat(mark); err == nil && time.Since(info.ModTime()) < tidyEvery {
		return
	}
	if free() == nil {
		_ = os.WriteFile(mark, nil, 0o600) // without it that is done again
	}
}

// lockBuild waits until no other process builds an app.
func (s *shared) lockBuild(ctx context.Context, app string, report aloft.Reporter) (unlock func(), err error) {
	f, err := openLock(filepath.Join(s.dir, "build-"+app+".lock"))
	if err != nil {
		return nil, err
	}
	told := false
	err = poll(ctx, func() (bool, error) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return true, err
		}
		if !told {
			report.Report(aloft.Notice{Text: "another command builds " + app + "; waiting for it"})
		}
		told = true
		return false, nil
	})
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("wait for the build of %s: %w", app, err)
	}
	return func() { _ = f.Close() }, nil // which unlocks; the file stays, or two could hold locks on two
}

// tidyEvery is how often caches are looked through.
const tidyEvery = time.Hour
