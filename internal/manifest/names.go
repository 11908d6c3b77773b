package manifest

import (
	"regexp"
	"strings"

	"github.com/aloft-run/aloft"
)

// naming is the rule for the names in a map. Check returns the name to use, "" to leave the entry out.
type naming struct {
	schema map[string]any
	check  func(d *document, f field) (string, error)
}

var envPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

const reservedPattern = `^(PORT|HOST)$|^ALOFT_`

// refuseEnv returns why a variable must not be set by the project, "" if it may.
func refuseEnv(name string) string {
	switch {
	case !envPattern.MatchString(name):
		return "names are letters, digits and underscores, not starting with a digit"
	case name == "PORT" || name == "HOST":
		return "aloft itself tells the app where to listen"
	case strings.HasPrefix(name, "ALOFT_"):
		return "names that start with ALOFT_ are aloft's own"
	default:
		return ""
	}
}

// envNames is the rule for variables. In files of other tools a reserved name is only left out.
func envNames() naming {
	return naming{
		map[string]any{"pattern": envPattern.String(), "not": map[string]any{"pattern": reservedPattern}},
		func(d *document, f field) (string, error) {
			reason := refuseEnv(f.name)
			switch {
			case reason == "":
				return f.name, nil
			case d.foreign && envPattern.MatchString(f.name):
				d.warn(f.at, "variable %s is ignored: %s", f.name, reason)
				return "", nil
			default:
				return "", d.fault(f.at, "variable %s: %s", quote(f.name), reason).WithHint("rename or remove it")
			}
		},
	}
}

// namePattern repeats the rule of aloft.CheckName for the schema; a test compares the two.
const namePattern = `^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$`

const routePattern = `^([A-Z]+ )?/[^ ]*$`

// routes is the rule for patterns of requests: those of net/http's ServeMux, without a host.
func routes() naming {
	pattern := regexp.MustCompile(routePattern)
	return naming{
		map[string]any{"pattern": routePattern},
		func(d *document, f field) (string, error) {
			if !pattern.MatchString(f.name) {
				return "", d.fault(f.at, "route %s is not allowed", quote(f.name)).WithHint("a route is a path, or a method and a path: \"/items\", \"POST /items/{id}\", \"GET /files/{path...}\"")
			}
			return f.name, nil
		},
	}
}

// names is the rule for stages and functions. In files of other tools a name is first brought into our form: those tools
// allow capitals and underscores.
func names(what string) naming {
	return naming{
		map[string]any{"pattern": namePattern},
		func(d *document, f field) (string, error) {
			if !d.foreign {
				return f.name, d.checkName(what, f.name, f.at)
			}
			name := ourName(f.name)
			if !allowed(name) {
				d.warn(f.at, "%s name %s is not allowed here and is ignored", what, quote(f.name))
				name = ""
			}
			return name, nil
		},
	}
}

func (d *document) checkName(what, name string, at place) error {
	err := aloft.CheckName(what, name)
	if err == nil {
		return nil
	}
	fault := d.fault(at, "%s name %s is not allowed", what, quote(name))
	fault.Hint = "use 1 to 40 lower-case letters, digits and dashes, starting with a letter and not ending with a dash"
	return fault
}

func allowed(name string) bool { return aloft.CheckName("", name) == nil }

// ourName turns a name of another tool into one that our rule allows, as far as letters, digits and dashes go.
func ourName(name string) string {
	mapped := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		default:
			return '-'
		}
	}, name)
	for strings.Contains(mapped, "--") {
		mapped = strings.ReplaceAll(mapped, "--", "-")
	}
	return strings.Trim(mapped[:min(len(mapped), 40)], "-")
}

// appName is the app's name in our own file: it must be right.
func appName() shape[string] {
	schema := map[string]any{"type": "string", "pattern": namePattern}
	const like = "such as shop or my-shop"
	return shape[string]{wants: "a name", like: like, schema: schema, read: func(d *document, n node) (string, error) {
		if n.kind != text {
			return "", d.expected(n, "a name", like)
		}
		return n.text, d.checkName("app", n.text, n.at)
	}}
}

// title is the app's name in the file of another tool, which may be any text. What cannot be a name here is changed.
func title() shape[string] {
	return shape[string]{wants: "text", read: func(d *document, n node) (string, error) {
		if n.kind != text {
			return "", d.expected(n, "text", "")
		}
		name := ourName(n.text)
		if !allowed(name) {
			d.warn(n.at, "name %s cannot name an app here and is ignored", quote(n.text))
			return "", nil
		}
		if name != n.text {
			d.warn(n.at, "name %s becomes %q", quote(n.text), name)
		}
		return name, nil
	}}
}
