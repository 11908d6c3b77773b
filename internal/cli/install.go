package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/sqlite"
)

// versionPatience bounds the wait for a program to say its version.
const versionPatience = 10 * time.Second

// previous is where the program that was replaced stays.
func previous(target string) string { return target + ".previous" }

// checkProgramFile looks at the file from outside.
func checkProgramFile(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return aloft.Errorf(aloft.Invalid, "there is no file %s", path).WithHint("--self names the new aloft program")
	case err != nil:
		return aloft.Errorf(aloft.Invalid, "%w", err).WithHint("--self names the new aloft program")
	case !info.Mode().IsRegular():
		return aloft.Errorf(aloft.Invalid, "%s is not a regular file", path).WithHint("--self names the new aloft program")
	case info.Mode().Perm()&0o111 == 0:
		return aloft.Errorf(aloft.Invalid, "%s is not executable", path).WithHint("chmod +x %s, if it is the new aloft program", path)
	}
	return nil
}

// askVersion runs the program to hear what it is.
func askVersion(ctx context.Context, path string) (versionInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, versionPatience)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, path, "version", "--json")
	cmd.Args[0] = "aloft" // whatever the file is called
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = os.Environ(), "/", &out, &errs
	cmd.WaitDelay = time.Second // for what it left behind
	err := cmd.Run()
	var v versionInfo
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		return v, aloft.Errorf(aloft.Invalid, "%s is no program of this machine", path).
			WithHint("take the aloft program for %s/%s", thisVersion().OS, thisVersion().Arch)
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return v, aloft.Errorf(aloft.Invalid, "%s does not say its version within %s", path, versionPatience).WithHint("is it aloft?")
	case ctx.Err() != nil:
		return v, ctx.Err()
	case err != nil:
		return v, aloft.Errorf(aloft.Invalid, "%s does not say its version: %w", path, err).
			WithDetail(strings.TrimSpace(tail(errs.String()))).WithHint("is it aloft, for %s/%s?", thisVersion().OS, thisVersion().Arch)
	case json.Unmarshal(out.Bytes(), &v) != nil || v.Version == "" || v.Go == "":
		return v, aloft.Errorf(aloft.Invalid, "%s is not aloft: it does not answer \"version --json\" as aloft does", path).
			WithHint("--self names the new aloft program")
	}
	return v, nil
}

// tail is the end of a text that may be long.
func tail(text string) string { return text[max(0, len(text)-2000):] }

// fits refuses a program that would not understand the state, or could not take the server's place.
func (u upgrade) fits(home string) error {
	schema := sqlite.SchemaOf(filepath.Join(home, stateFile))
	if u.server != nil {
		schema = max(schema, u.server.Schema)
	}
	if u.now.Schema < schema {
		err := aloft.Errorf(aloft.Invalid, "aloft %s understands the state up to schema %d, the present one has %d", u.now.Version, u.now.Schema, schema)
		state := filepath.Join(home, stateFile)
		if backup := sqlite.Backup(state, u.now.Schema); backup != "" {
			return err.WithHint("take a newer one; or return to the state before its schema changed, without what was released since: "+
				"aloft stop --server && mv %[1]s %[1]s.newer && cp -p %[2]s %[1]s, and type the same command again", state, backup)
		}
		return err.WithHint("take a newer one; there is no copy of the state with schema %d beside %s", u.now.Schema, state)
	}
	if u.server != nil && u.now.Handover == 0 {
		return aloft.Errorf(aloft.Invalid, "aloft %s cannot take the place of a server that runs", u.now.Version).
			WithHint("aloft stop --server, and type the same command again; requests are refused meanwhile")
	}
	return nil
}

// installation is a program that was put in the place of another; its zero value is none.
type installation struct {
	target string
	older  string // what was kept before; "" if nothing was
}

// install copies the program over the target, which stays as previous(target): at each moment there is a whole program.
func install(ctx context.Context, file, target string) (i installation, err error) {
	i.target = target
	temp, err := copyProgram(file, target)
	if err != nil {
		return i, replaceError(target, err)
	}
	defer func() { _ = os.Remove(temp) }()           // there no more if all went well
	if _, err := askVersion(ctx, temp); err != nil { // the file may have changed since
		return i, err
	}
	if _, err := os.Lstat(previous(target)); err == nil {
		i.older = target + ".older"
		if err := linkOver(previous(target), i.older); err != nil {
			return i, replaceError(target, err)
		}
	}
	if err := linkOver(target, previous(target)); err != nil {
		return i, replaceError(target, err)
	}
	if err := errors.Join(os.Rename(temp, target), syncDir(filepath.Dir(target))); err != nil {
		return i, i.putBack(replaceError(target, err))
	}
	return i, nil
}

func replaceError(target string, err error) error {
	return aloft.Errorf(aloft.Failed, "the program %s cannot be replaced: %w", target, err).
		WithHint("the user who may write %s can upgrade; nothing was changed", filepath.Dir(target))
}

// copyProgram copies a program to a new file beside the target, with the target's permissions.
func copyProgram(file, target string) (temp string, err error) {
	from, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer func() { _ = from.Close() }()
	info, err := os.Stat(target)
	if err != nil {
		return "", err
	}
	to, err := os.CreateTemp(filepath.Dir(target), filepath.Base(target)+".new-*")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(to, from)
	if err = errors.Join(err, alike(to, target, info), to.Sync(), to.Close()); err != nil {
		_ = os.Remove(to.Name())
		return "", err
	}
	return to.Name(), nil
}

// alike gives a new program what the old one has besides its bytes: permissions, owner, and file capabilities (setcap), without
// which it may not listen on low ports at the next start.
func alike(to *os.File, target string, info fs.FileInfo) error {
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() {
		if err := to.Chown(int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	if err := to.Chmod(info.Mode().Perm()); err != nil {
		return err
	}
	capability := make([]byte, 64)
	n, _ := unix.Getxattr(target, capabilities, capability)
	if n <= 0 { // there are none, as usual
		return nil
	}
	if err := unix.Fsetxattr(int(to.Fd()), capabilities, capability[:n], 0); err != nil {
		return fmt.Errorf("give it the capabilities that %s has: %w", target, err)
	}
	return nil
}

const capabilities = "security.capability"

// linkOver makes name another name of a file, in place of what had it.
func linkOver(file, name string) error {
	temp := fmt.Sprintf("%s.%d", name, os.Getpid())
	_ = os.Remove(temp)
	if err := os.Link(file, temp); err != nil {
		return err
	}
	return os.Rename(temp, name)
}

// putBack undoes the installation, if there was one, and returns why, or both errors.
func (i installation) putBack(why error) error {
	if i.target == "" {
		return why
	}
	err := os.Rename(previous(i.target), i.target)
	if err == nil && i.older != "" {
		err = os.Rename(i.older, previous(i.target))
	}
	if err = errors.Join(err, syncDir(filepath.Dir(i.target))); err != nil {
		return errors.Join(why, fmt.Errorf("put the old program back: %w", err))
	}
	return why
}

// keep makes the installation last.
func (i installation) keep() {
	if i.older != "" {
		_ = os.Remove(i.older)
	}
}

func syncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	return dir.Sync()
}
