package manifest

import (
	"path/filepath"
	"strings"

	"github.com/aloft-run/aloft"
)

// AppName is the name of the app in dir: the one the manifest says, else the directory's, brought into our form. It
// returns Invalid if neither makes a name.
func AppName(m Manifest, dir string) (string, error) {
	if m.Name() != "" {
		return m.Name(), nil
	}
	base := filepath.Base(dir)
	name := ourName(base)
	if aloft.CheckName("app", name) != nil {
		return "", aloft.Errorf(aloft.Invalid, "the directory's name %q makes no app name", base).
			WithHint("name the app: `name: my-app` in %s, or --app my-app", AloftFile)
	}
	return name, nil
}

// CheckEnvName returns an Invalid error unless users may set a variable of this name: letters, digits and underscores, and
// not one that aloft itself sets.
func CheckEnvName(name string) error {
	if reason := refuseEnv(name); reason != "" {
		return aloft.Errorf(aloft.Invalid, "variable %q is not allowed: %s", name, reason).WithHint("choose another name")
	}
	return nil
}

// CheckVariable is CheckEnvName for variables of a stage, those too that one function has: FUNCTION/NAME.
func CheckVariable(name string) error {
	if function, own, is := strings.Cut(name, "/"); is {
		if err := aloft.CheckName("function", function); err != nil {
			return err
		}
		name = own
	}
	return CheckEnvName(name)
}
