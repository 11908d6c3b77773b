package buildpack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/aloft-run/aloft"
)

// maxFile bounds what a buildpack reads of one file. Lock files of large projects have a few megabytes.
const maxFile = 32 << 20

// Exists reports whether src has a regular file of this name.
func Exists(src fs.FS, name string) bool {
	info, err := fs.Stat(src, name)
	return err == nil && info.Mode().IsRegular()
}

// IsDir reports whether src has a directory of this name.
func IsDir(src fs.FS, name string) bool {
	info, err := fs.Stat(src, name)
	return err == nil && info.IsDir()
}

// First returns the first of names that is a regular file, or "".
func First(src fs.FS, names ...string) string {
	for _, name := range names {
		if Exists(src, name) {
			return name
		}
	}
	return ""
}

// Read returns the contents of a regular file without a byte order mark. It reports false if there is none; an error is
// Invalid and says which file cannot be read.
func Read(src fs.FS, name string) ([]byte, bool, error) {
	if !Exists(src, name) {
		return nil, false, nil
	}
	data, err := readLimited(src, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, aloft.Errorf(aloft.Invalid, "read %s: %w", name, err).WithHint("check that the file is readable: ls -l %s", name)
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), true, nil
}

func readLimited(src fs.FS, name string) ([]byte, error) {
	f, err := src.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("larger than %d MB", maxFile>>20)
	}
	return data, err
}

// FileError is an Invalid error about a place in a file: "package.json:3:7: message", with the line marked in its detail.
// Offset counts bytes; one outside data means its nearest end.
func FileError(name string, data []byte, offset int, message string) *aloft.Error {
	offset = max(0, min(offset, len(data)))
	line := 1 + bytes.Count(data[:offset], []byte("\n"))
	start := 1 + bytes.LastIndexByte(data[:offset], '\n')
	text := data[start:]
	if end := bytes.IndexByte(text, '\n'); end >= 0 {
		text = text[:end]
	}
	column := len([]rune(string(data[start:offset]))) + 1
	err := aloft.Errorf(aloft.Invalid, "%s:%d:%d: %s", name, line, column, message).WithHint("correct %s, line %d", name, line)
	if len(text) > 200 {
		return err
	}
	shown := strings.ReplaceAll(strings.TrimRight(string(text), "\r"), "\t", " ")
	return err.WithDetail(fmt.Sprintf("%5d | %s\n      | %s^", line, shown, strings.Repeat(" ", column-1)))
}

// ReadJSON reads a JSON file into value as Read does. What is wrong in it is a FileError.
func ReadJSON(src fs.FS, name string, value any) (bool, error) {
	data, ok, err := Read(src, name)
	if !ok || err != nil {
		return false, err
	}
	err = json.Unmarshal(data, value)
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		at := int(e.Offset) - 1 // the offset is behind the wrong byte
		if strings.Contains(e.Error(), "unexpected end") {
			at = len(data)
		}
		return false, FileError(name, data, at, e.Error())
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		// The offset is that of the end of the value.
		return false, FileError(name, data, int(e.Offset)-1, fmt.Sprintf("%s is a JSON %s, which it must not be", orTop(e.Field), e.Value))
	}
	if err != nil {
		return false, FileError(name, data, 0, err.Error())
	}
	return true, nil
}

func orTop(field string) string {
	if field == "" {
		return "the file"
	}
	return field
}
