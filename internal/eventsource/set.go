package eventsource

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// Set are the kinds there are.
type Set []Kind

// Parse reads a source, a URI or an ARN. What a stage calls by the ARN of its own resource becomes the resource's name; ref may
// be the zero value, and ARNs stay as they are then. It returns Invalid with the mistake and what is allowed.
func (s Set) Parse(ref aloft.StageRef, text string) (Source, error) {
	u, err := split(text, s.byService)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(s, func(k Kind) bool { return k.Name() == u.Kind })
	if i < 0 {
		return nil, aloft.Errorf(aloft.Invalid, "event source %q: there is no kind %q", shorten(text), shorten(u.Kind)).
			WithHint("the kinds are %s", strings.Join(s.names(), ", "))
	}
	if ref.App != "" {
		u = u.local(ref)
	}
	return s[i].Parse(u)
}

// Named is the resource of this server that a source names by its ARN; ok is false for sources that name none so.
func (s Set) Named(text string) (kind, name string, ok bool) {
	u, err := split(text, s.byService)
	if err != nil || u.ARN == "" {
		return "", "", false
	}
	return u.Kind, u.Physical(aloft.StageRef{}), true
}

// Canonical is the canonical text of a source.
func (s Set) Canonical(text string) (string, error) {
	source, err := s.Parse(aloft.StageRef{}, text)
	if err != nil {
		return "", err
	}
	return source.String(), nil
}

func (s Set) names() []string {
	var names []string
	for _, k := range s {
		names = append(names, k.Name())
	}
	return names
}

func (s Set) byService(service string) (string, error) {
	var known []string
	for _, k := range s {
		if k.Service() == service {
			return k.Name(), nil
		}
		if k.Service() != "" {
			known = append(known, k.Service())
		}
	}
	return "", fmt.Errorf("ARNs of %s are no event sources; those of %s are", service, strings.Join(known, ", "))
}

// Bare is a source's text without its options.
func Bare(text string) string {
	target, _ := cutQuery(strings.TrimSpace(text))
	return target
}

// CheckResource returns a fault unless a URI names a resource as AWS lets it be called, or by its ARN.
func (u URI) CheckResource(most int, extra string) error {
	name := u.Label()
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
	if name == "" || len(name) > most || strings.Trim(name, letters+extra) != "" {
		return u.Fault("%q cannot be the name of a %s", shorten(name), u.Kind).WithHint("letters, digits and %s, at most %d", "-"+extra, most)
	}
	return nil
}
