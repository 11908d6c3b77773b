package buildpack

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/BurntSushi/toml"
)

// ReadTOML reads a TOML file into value as Read does. What is wrong in it is a FileError.
func ReadTOML(src fs.FS, name string, value any) (bool, error) {
	data, ok, err := Read(src, name)
	if !ok || err != nil {
		return false, err
	}
	err = toml.Unmarshal(data, value)
	if e, ok := errors.AsType[toml.ParseError](err); ok {
		return false, FileError(name, data, e.Position.Start, e.Message)
	}
	if err != nil { // a value of a wrong type: the decoder names the key, not the place
		return false, FileError(name, data, 0, strings.TrimPrefix(err.Error(), "toml: "))
	}
	return true, nil
}
