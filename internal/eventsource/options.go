package eventsource

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
)

// Options reads the options of a URI. Each method reads one, in any order; Done returns the first mistake, and refuses options
// that nobody read. What equals its default is left out of the canonical text.
type Options struct {
	uri   URI
	known []string
	kept  map[string]string
	err   error
}

// Read begins to read the options of a URI.
func (u URI) Read() *Options { return &Options{uri: u, kept: map[string]string{}} }

// Fault makes the error for a mistake in a URI.
func (u URI) Fault(format string, args ...any) *aloft.Error {
	return aloft.Errorf(aloft.Invalid, "event source %s: %s", shorten(u.String()), fmt.Sprintf(format, args...))
}

func (o *Options) value(name string) (string, bool) {
	o.known = append(o.known, name)
	v, ok := o.uri.Options[name]
	return v, ok && o.err == nil
}

func (o *Options) refuse(name, wants string) {
	o.err = o.uri.Fault("%s is %s, not %q", name, wants, shorten(o.uri.Options[name]))
}

// Int reads a whole number.
func (o *Options) Int(name string, def, least, most int) int {
	text, ok := o.value(name)
	if !ok {
		return def
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < least || v > most {
		o.refuse(name, fmt.Sprintf("a whole number from %d to %d", least, most))
		return def
	}
	if v != def {
		o.kept[name] = strconv.Itoa(v)
	}
	return v
}

// Duration reads a duration such as 30s, or whole seconds as AWS has them.
func (o *Options) Duration(name string, def, least, most time.Duration) time.Duration {
	text, ok := o.value(name)
	if !ok {
		return def
	}
	v, err := time.ParseDuration(text)
	if seconds, atoi := strconv.Atoi(text); atoi == nil {
		v, err = time.Duration(min(seconds, int(most/time.Second)+1))*time.Second, nil // a huge number must not become a small one
	}
	if err != nil || v < least || v > most {
		o.refuse(name, fmt.Sprintf("a duration from %s to %s, such as 30s", brief(least), brief(most)))
		return def
	}
	if v != def {
		o.kept[name] = brief(v)
	}
	return v
}

// Bool reads true or false; the option's name alone is true.
func (o *Options) Bool(name string) bool {
	text, ok := o.value(name)
	switch {
	case !ok || text == "false":
		return false
	case text == "true" || text == "":
		o.kept[name] = "true"
		return true
	}
	o.refuse(name, "true or false")
	return false
}

// Text reads a text. Check, if not nil, returns what is wanted instead of a bad one, as in "a time zone", and "" for a good one.
func (o *Options) Text(name, def string, check func(string) (wants string)) string {
	text, ok := o.value(name)
	if !ok {
		return def
	}
	if check != nil {
		if wants := check(text); wants != "" {
			o.refuse(name, wants)
			return def
		}
	}
	if text != def {
		o.kept[name] = text
	}
	return text
}

// OneOf reads one of some words; the first is the default.
func (o *Options) OneOf(name string, words ...string) string {
	return o.Text(name, words[0], func(text string) string {
		if slices.Contains(words, text) {
			return ""
		}
		return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
	})
}

// Done returns the URI with its options in canonical form, or the first mistake.
func (o *Options) Done() (URI, error) {
	if o.err != nil {
		return URI{}, o.err
	}
	slices.Sort(o.known)
	for _, name := range slices.Sorted(maps.Keys(o.uri.Options)) {
		if !slices.Contains(o.known, name) {
			e := o.uri.Fault("there is no option %q", shorten(name))
			if len(o.known) == 0 {
				return URI{}, e.WithHint("a %s has no options", o.uri.Kind)
			}
			return URI{}, e.WithHint("the options of a %s are %s", o.uri.Kind, strings.Join(o.known, ", "))
		}
	}
	u := o.uri
	u.Options = o.kept
	return u, nil
}

// brief is a duration without zero units: "5m", "1h".
func brief(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}
