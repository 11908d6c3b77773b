package manifest

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/aloft-run/aloft"
)

// Limits of a file. A hand-written one stays far below them.
const (
	maxSize   = 1 << 20 // bytes
	maxTokens = 20_000  // the YAML parser is quadratic in places
	maxValues = 10_000  // after aliases are expanded
	maxDepth  = 32
	maxLinks  = 8
)

// readFile returns the text of a file of the source with line ends as \n and without a byte order mark, and false if
// there is none. It returns an Invalid error for everything that is not a readable text file inside the tree.
func readFile(src fs.FS, name string) (string, bool, error) {
	target, err := follow(src, name)
	if err != nil {
		return "", true, err
	}
	info, err := fs.Stat(src, target)
	switch {
	case errors.Is(err, fs.ErrNotExist) && target == name:
		return "", false, nil
	case err != nil:
		return "", true, unreadable(name, err)
	case info.IsDir():
		return "", true, aloft.Errorf(aloft.Invalid, "%s: is a directory, not a file", name)
	case !info.Mode().IsRegular():
		return "", true, aloft.Errorf(aloft.Invalid, "%s: is not a regular file", name)
	}
	data, err := readLimited(src, target)
	if err != nil {
		return "", true, unreadable(name, err)
	}
	if len(data) > maxSize {
		return "", true, aloft.Errorf(aloft.Invalid, "%s: is larger than %d KB", name, maxSize>>10)
	}
	text, err := clean(name, string(data))
	return text, true, err
}

func readLimited(src fs.FS, name string) ([]byte, error) {
	f, err := src.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxSize+1))
}

func unreadable(name string, err error) error {
	reason := err
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		reason = e.Err // the path is known to the reader, and may name the server's directories
	}
	e := aloft.Errorf(aloft.Invalid, "%s: cannot be read: %v", name, reason)
	e.Err = err
	return e
}

// follow resolves a symbolic link, so that a source whose FS follows links anywhere (os.DirFS) is still read inside its
// tree only. Directories on the way must not be links themselves.
func follow(src fs.FS, name string) (string, error) {
	target := name
	for range maxLinks {
		if !isLink(src, target) {
			return target, nil
		}
		link, err := fs.ReadLink(src, target)
		if err != nil {
			return "", unreadable(name, err)
		}
		target = path.Join(path.Dir(target), filepath.ToSlash(link))
		if path.IsAbs(filepath.ToSlash(link)) || !fs.ValidPath(target) || throughLink(src, target) {
			return "", aloft.Errorf(aloft.Invalid, "%s: is a symbolic link out of the source", name).
				WithHint("replace the link by the file itself")
		}
	}
	return "", aloft.Errorf(aloft.Invalid, "%s: too many symbolic links", name)
}

// isLink is false for what is missing or unreadable: that is told when it is opened.
func isLink(src fs.FS, name string) bool {
	info, err := fs.Lstat(src, name)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

func throughLink(src fs.FS, name string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if isLink(src, dir) {
			return true
		}
	}
	return false
}

// clean checks that the text is text, and unifies line ends.
func clean(name, text string) (string, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	if i := strings.IndexByte(text, 0); i >= 0 {
		d := &document{name: name, text: strings.ToValidUTF8(text, "\ufffd")}
		return "", d.fault(placeOf(text, i), "NUL byte").WithHint("save the file as plain UTF-8 text")
	}
	if utf8.ValidString(text) {
		return text, nil
	}
	i := 0
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		i += size
	}
	d := &document{name: name, text: strings.ToValidUTF8(text, "\ufffd")}
	return "", d.fault(placeOf(text, i), "not UTF-8 text").WithHint("save the file as UTF-8")
}

// placeOf returns the place of a byte offset.
func placeOf(text string, offset int) place {
	before := text[:min(offset, len(text))]
	start := strings.LastIndexByte(before, '\n') + 1
	return place{strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1}
}
