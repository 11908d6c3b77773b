package python

import (
	"regexp"
	"strings"
)

// requirement is a line such as "fastapi[standard] >= 0.110 ; python_version > '3.8'", as far as it matters here.
var requirement = regexp.MustCompile(`^\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?`)

var separators = regexp.MustCompile(`[-_.]+`)

// normal is the form in which names of packages are compared.
func normal(name string) string { return strings.ToLower(separators.ReplaceAllString(name, "-")) }

// declare notes the package that a requirement names, and the servers that its extras bring.
func declare(names map[string]bool, line string) {
	match := requirement.FindStringSubmatch(line)
	if match == nil {
		return
	}
	name := normal(match[1])
	names[name] = true
	for extra := range strings.SplitSeq(match[2], ",") {
		switch e := strings.TrimSpace(extra); {
		case name == "fastapi" && (e == "standard" || e == "all"):
			names["uvicorn"] = true
		case name == "uvicorn", name == "gunicorn":
			names[name] = true
		}
	}
}

var caret = regexp.MustCompile(`^\^\s*(\d+)(?:\.(\d+))?(?:\.(\d+))?$`)

// specifier translates a version constraint of Poetry or Pipenv into pip's form; ok is false if it is not understood.
func specifier(text string) (spec string, ok bool) {
	text = strings.TrimSpace(text)
	match := caret.FindStringSubmatch(text)
	switch {
	case text == "" || text == "*":
		return "", true
	case match != nil:
		return ">=" + strings.TrimSpace(text[1:]) + ",<" + nextBreaking(match[1:]), true
	case strings.HasPrefix(text, "~="), strings.ContainsAny(text[:1], "<>=!"):
		return text, !strings.Contains(text, "||")
	case strings.HasPrefix(text, "~"):
		version := strings.TrimSpace(text[1:])
		if !strings.Contains(version, ".") {
			version += ".0"
		}
		return "~=" + version, true
	case text[0] >= '0' && text[0] <= '9':
		return "==" + text, !strings.ContainsAny(text, "|^~ ")
	}
	return "", false
}

// nextBreaking is the first version that a caret excludes: its leftmost part that is not zero, plus one.
func nextBreaking(parts []string) string {
	var b strings.Builder
	for i, p := range parts {
		last := i == len(parts)-1 || parts[i+1] == ""
		if strings.Trim(p, "0") != "" || last {
			b.WriteString(increment(p))
			return b.String()
		}
		b.WriteString("0.")
	}
	return b.String()
}

// increment adds one to a decimal number of any length.
func increment(digits string) string {
	b := []byte(digits)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < '9' {
			b[i]++
			return string(b)
		}
		b[i] = '0'
	}
	return "1" + string(b)
}
