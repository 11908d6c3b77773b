package resource

import (
	"regexp"
	"strconv"
	"time"

	"github.com/aloft-run/aloft"
)

// Number reads an option that is a whole number between two; def if it is not there.
func Number(options map[string]string, name string, def, least, most int) (int, error) {
	text, said := options[name]
	if !said {
		return def, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return def, aloft.Errorf(aloft.Invalid, "%s is %q; expected a number from %d to %d", name, text, least, most)
	}
	return n, nil
}

// Period reads an option that is a duration of whole seconds between two; def if it is not there.
func Period(options map[string]string, name string, def, least, most int) (int, error) {
	text, said := options[name]
	if !said {
		return def, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d%time.Second != 0 || d < time.Duration(least)*time.Second || d > time.Duration(most)*time.Second {
		return def, aloft.Errorf(aloft.Invalid, "%s is %q; expected a duration of whole seconds from %s to %s",
			name, text, time.Duration(least)*time.Second, time.Duration(most)*time.Second)
	}
	return int(d / time.Second), nil
}

// Flag reads an option that is true or false; false if it is not there.
func Flag(options map[string]string, name string) (bool, error) {
	switch options[name] {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, aloft.Errorf(aloft.Invalid, "%s is %q; expected true or false", name, options[name])
}

// CheckVariable returns Invalid if an option names a variable as none can be called.
func CheckVariable(options map[string]string) error {
	name, said := options[VariableOption]
	if !said || variableName.MatchString(name) {
		return nil
	}
	return aloft.Errorf(aloft.Invalid, "%s is %q; expected the name of a variable, such as DATABASE_URL", VariableOption, name)
}

// Decimal reads an option that is a number of halves between two, such as 0.5; def if it is not there.
func Decimal(options map[string]string, name string, def, least, most float64) (float64, error) {
	text, said := options[name]
	if !said {
		return def, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < least || n > most || n*2 != float64(int(n*2)) {
		return def, aloft.Errorf(aloft.Invalid, "%s is %q; expected a number from %g to %g in steps of 0.5", name, text, least, most)
	}
	return n, nil
}

var variableName = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)

var goodName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// GoodName reports whether AWS lets a queue, topic or stream have a name, of at most some characters.
func GoodName(name string, most int) bool { return len(name) <= most && goodName.MatchString(name) }
