package seal

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/aloft-run/aloft"
)

// The file is text: this line, then one line "GENERATION KEY ID" per generation, oldest first; the id detects typing errors.
const fileHead = "# aloft master key 1: needed to read the config of all apps. Keep a copy in another place, and keep it secret."

// load reads the generations in the file, none if there is no file.
func load(path string) ([]key, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, aloft.Errorf(aloft.Internal, "read master key: %w", err)
	case !info.Mode().IsRegular():
		return nil, aloft.Errorf(aloft.Conflict, "the master key %s is not a regular file", path).WithHint("put a backup of the file in its place")
	case info.Mode().Perm()&0o077 != 0:
		return nil, aloft.Errorf(aloft.Conflict, "others may read the master key %s (mode %04o)", path, info.Mode().Perm()).
			WithHint("chmod 600 %s; if somebody may have read it, treat the config as known to them", path)
	}
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return nil, aloft.Errorf(aloft.Internal, "read master key: %w", err)
	}
	if dir.Mode().Perm()&0o022 != 0 {
		return nil, aloft.Errorf(aloft.Conflict, "others may replace the master key: %s has mode %04o", filepath.Dir(path), dir.Mode().Perm()).
			WithHint("chmod 700 %s", filepath.Dir(path))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, aloft.Errorf(aloft.Internal, "read master key: %w", err)
	}
	return parse(path, string(text))
}

func parse(path, text string) (keys []key, err error) {
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	if strings.TrimRight(lines[0], "\r") != fileHead {
		return nil, badFile(path, 1)
	}
	for i, line := range lines[1:] {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[0] != fmt.Sprint(i+1) {
			return nil, badFile(path, i+2)
		}
		secret, err := base64.StdEncoding.Strict().DecodeString(fields[1])
		id, idErr := hex.DecodeString(fields[2])
		if err != nil || idErr != nil || len(secret) != keySize || len(id) != idSize {
			return nil, badFile(path, i+2)
		}
		k := makeKey([keySize]byte(secret))
		if k.id != keyID(id) {
			return nil, badFile(path, i+2)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, badFile(path, 2)
	}
	return keys, nil
}

// badFile names the line, and nothing of what is in it.
func badFile(path string, line int) error {
	return aloft.Errorf(aloft.Internal, "%s:%d: the master key file is damaged", path, line).
		WithHint("put a backup of the file in its place")
}

func format(keys []key) string {
	text := &strings.Builder{}
	fmt.Fprintln(text, fileHead)
	for i, k := range keys {
		fmt.Fprintln(text, i+1, base64.StdEncoding.EncodeToString(k.secret[:]), k.id)
	}
	return text.String()
}

// create writes the first key file. It never replaces one.
func create(path string, keys []key) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return aloft.Errorf(aloft.Internal, "create master key: %w", err)
	}
	err := save(path, keys, os.Link)
	if errors.Is(err, fs.ErrExist) {
		return aloft.Errorf(aloft.Conflict, "another process made the master key %s at the same time", path).WithHint("start aloft again")
	}
	return err
}

// replace puts another key file in the place of the one there.
func replace(path string, keys []key) error { return save(path, keys, os.Rename) }

// save writes a synced temporary file and puts it in place, so that a kill or power loss leaves the old file or the new one.
func save(path string, keys []key, place func(from, to string) error) error {
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, fileName+".*") // mode 0600
	if err != nil {
		return aloft.Errorf(aloft.Internal, "write master key: %w", err)
	}
	defer func() { _ = os.Remove(temp.Name()) }() // after a rename there is nothing to remove
	_, err = temp.WriteString(format(keys))
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return aloft.Errorf(aloft.Internal, "write master key: %w", err)
	}
	if err := place(temp.Name(), path); err != nil {
		return aloft.Errorf(aloft.Internal, "write master key: %w", err)
	}
	return syncDir(dir)
}

func syncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return aloft.Errorf(aloft.Internal, "write master key: %w", err)
	}
	defer func() { _ = dir.Close() }()
	if err := dir.Sync(); err != nil {
		return aloft.Errorf(aloft.Internal, "write master key: %w", err)
	}
	return nil
}
