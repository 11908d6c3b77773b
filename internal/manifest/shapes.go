package manifest

import (
	"io/fs"
	"net/netip"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lambdaruntime"
)

// word is a value written as one scalar. Parse returns false for a bad one.
func word[T any](wants, like string, schema map[string]any, parse func(n node) (T, bool)) shape[T] {
	return shape[T]{wants: wants, like: like, schema: schema, read: func(d *document, n node) (T, error) {
		v, ok := parse(n)
		if !ok {
			var none T
			return none, d.expected(n, wants, like)
		}
		return v, nil
	}}
}

// anyText is text, or a number or boolean taken as it is written.
func anyText() shape[string] {
	return word("text", `("" is an empty one)`, map[string]any{"type": []any{"string", "number", "boolean"}}, func(n node) (string, bool) {
		return n.text, n.scalar() && !strings.Contains(n.text, "\x00")
	})
}

// line is a shell command line, or several.
func line() shape[string] {
	schema := map[string]any{"type": "string", "pattern": `\S`}
	return word("a shell command line", `such as "node server.js"`, schema, func(n node) (string, bool) {
		v := strings.TrimSpace(n.text)
		return v, n.kind == text && v != "" && !strings.Contains(v, "\x00")
	})
}

// functionName is the name of a function.
func functionName() shape[string] {
	return word("a function's name", "such as create", map[string]any{"type": "string", "pattern": namePattern}, func(n node) (string, bool) {
		return n.text, n.kind == text && aloft.CheckName("function", n.text) == nil
	})
}

// handlerName is what a Lambda runtime calls.
func handlerName() shape[string] {
	return word("a handler", `such as "app.handler"`, map[string]any{"type": "string", "pattern": `^[A-Za-z0-9_.:/@$-]+$`}, func(n node) (string, bool) {
		return n.text, n.kind == text && n.text != "" && strings.Trim(n.text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/@$-") == ""
	})
}

// runtimeName is the name of a Lambda runtime.
func runtimeName() shape[string] {
	like := "such as nodejs22.x, python3.13 or provided.al2023"
	return word("a Lambda runtime", like, map[string]any{"type": "string", "pattern": `^[a-z]+[0-9a-z.]*$`}, func(n node) (string, bool) {
		_, _, err := lambdaruntime.Parse(n.text)
		return n.text, n.kind == text && err == nil
	})
}

// listOf is one item, or a list of them.
func listOf(item shape[string]) shape[[]string] {
	plural := item.wants + " or a list of them"
	schema := map[string]any{"anyOf": []any{item.schema, map[string]any{"type": "array", "items": item.schema}}}
	return shape[[]string]{wants: plural, like: item.like, schema: schema, read: func(d *document, n node) ([]string, error) {
		items := n.items
		switch n.kind {
		case text:
			items = []node{n}
		case list:
		default:
			return nil, d.expected(n, plural, item.like)
		}
		values := []string{} // not nil: an empty list says something
		for _, i := range items {
			i.path = n.path
			v, err := item.read(d, i)
			if err != nil {
				return nil, err
			}
			values = append(values, v)
		}
		return values, nil
	}}
}

// pattern is a pattern of .gitignore form.
func pattern() shape[string] {
	schema := map[string]any{"type": "string", "pattern": `\S`}
	return word("a pattern", `such as "*.psd"`, schema, func(n node) (string, bool) {
		return n.text, n.kind == text && strings.TrimSpace(n.text) != "" && !strings.ContainsAny(n.text, "\n\x00")
	})
}

// longest bounds durations, so that a slip such as 30000h is told.
const longest = 24 * time.Hour

func duration() shape[aloft.Duration] {
	schema := map[string]any{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`}
	return word("a duration", `such as "30s" or "1m30s", above 0 and up to 24h`, schema, func(n node) (aloft.Duration, bool) {
		v, err := time.ParseDuration(n.text)
		return aloft.Duration(v), n.kind == text && err == nil && v > 0 && v <= longest
	})
}

// seconds is a whole number of seconds, the way of up.json. 0 is "not said".
func seconds() shape[aloft.Duration] {
	return word("a whole number of seconds", "from 0 to 86400", nil, func(n node) (aloft.Duration, bool) {
		v, err := strconv.Atoi(n.text)
		ok := n.kind == number && err == nil && v >= 0 && v <= int(longest/time.Second)
		return aloft.Duration(time.Duration(v) * time.Second), ok
	})
}

var sizePattern = regexp.MustCompile(`^([0-9]{1,7}) ?([MG])i?B?$`)

// size is an amount of memory in MB.
func size() shape[int] {
	const most = 1 << 20 // 1 TB
	schema := map[string]any{"anyOf": []any{
		map[string]any{"type": "integer", "minimum": 1, "maximum": most},
		map[string]any{"type": "string", "pattern": sizePattern.String()},
	}}
	return word("a size", `such as "512MB" or "1GB", or a number of MB`, schema, func(n node) (int, bool) {
		if n.kind == number {
			v, err := strconv.Atoi(n.text)
			return v, err == nil && v >= 1 && v <= most
		}
		v, ok := ParseSize(n.text)
		return v, ok && n.kind == text && v <= most
	})
}

// ParseSize reads an amount of memory such as "512MB" or "1 GiB" as MB: both words are taken for powers of 1024.
func ParseSize(text string) (mb int, ok bool) {
	parts := sizePattern.FindStringSubmatch(text)
	if parts == nil {
		return 0, false
	}
	mb, err := strconv.Atoi(parts[1])
	if parts[2] == "G" {
		mb <<= 10
	}
	return mb, err == nil && mb >= 1
}

// count is a whole number of things.
func count(least int) shape[int] { return within(least, 10_000) }

// within is a whole number.
func within(least, most int) shape[int] {
	like := "from " + strconv.Itoa(least) + " to " + strconv.Itoa(most)
	schema := map[string]any{"type": "integer", "minimum": least, "maximum": most}
	return word("a whole number", like, schema, func(n node) (int, bool) {
		v, err := strconv.Atoi(n.text)
		return v, n.kind == number && err == nil && v >= least && v <= most
	})
}

// processors is a part of a processor or several.
func processors() shape[float64] {
	const least, most = 0.01, 1024
	schema := map[string]any{"type": "number", "minimum": least, "maximum": most}
	return word("a number of processors", "such as 0.5 or 2, from 0.01 to 1024", schema, func(n node) (float64, bool) {
		v, err := strconv.ParseFloat(n.text, 64)
		return v, n.kind == number && err == nil && v >= least && v <= most
	})
}

// privateRange is a range of addresses.
func privateRange() shape[string] {
	schema := map[string]any{"type": "string", "pattern": `^[0-9A-Fa-f.:]+/[0-9]+$`}
	return word("a range of addresses", `such as "10.1.0.0/16"`, schema, func(n node) (string, bool) {
		p, err := netip.ParsePrefix(n.text)
		return n.text, n.kind == text && err == nil && p == p.Masked()
	})
}

// urlPath is the path of a URL.
func urlPath() shape[string] {
	schema := map[string]any{"type": "string", "pattern": `^/[^\s#]*$`}
	return word("a URL path", `such as "/healthz"`, schema, func(n node) (string, bool) {
		return n.text, n.kind == text && strings.HasPrefix(n.text, "/") &&
			!strings.ContainsFunc(n.text, func(r rune) bool { return r <= ' ' || r == '#' || r == 0x7f })
	})
}

// directory is a directory of the source; "." is the source itself.
func directory() shape[string] {
	schema := map[string]any{"type": "string", "minLength": 1}
	return word("a directory of the source", `such as "public"`, schema, func(n node) (string, bool) {
		v := path.Clean(n.text)
		return v, n.kind == text && n.text != "" && fs.ValidPath(v) && !strings.ContainsAny(v, "\\\x00")
	})
}

// oneOf is one of some words.
func oneOf(words ...string) shape[string] {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	return word(strings.Join(quoted, " or "), "", map[string]any{"enum": words}, func(n node) (string, bool) {
		for _, w := range words {
			if n.kind == text && n.text == w {
				return w, true
			}
		}
		return "", false
	})
}

// yesNo is true or false.
func yesNo() shape[bool] {
	return word("true or false", "", map[string]any{"type": "boolean"}, func(n node) (bool, bool) {
		return n.text == "true", n.kind == boolean
	})
}

// span is a duration of whole seconds between two.
func span(least, most time.Duration) shape[aloft.Duration] {
	like := "from " + brief(aloft.Duration(least)) + " to " + brief(aloft.Duration(most))
	schema := map[string]any{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`}
	return word("a duration", like, schema, func(n node) (aloft.Duration, bool) {
		v, err := time.ParseDuration(n.text)
		return aloft.Duration(v), n.kind == text && err == nil && v >= least && v <= most && v%time.Second == 0
	})
}

// resourceName is the name of a resource.
func resourceName() shape[string] {
	return word("a resource's name", "such as jobs", map[string]any{"type": "string", "pattern": namePattern}, func(n node) (string, bool) {
		return n.text, n.kind == text && aloft.CheckName("resource", n.text) == nil
	})
}
