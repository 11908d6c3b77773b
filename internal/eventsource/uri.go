package eventsource

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// maxText bounds the text of a source, in bytes: filters may be long.
const maxText = 64 << 10

// URI is the text of a source taken apart: KIND:NAME?OPTION=VALUE&…, or an ARN in place of KIND:NAME.
type URI struct {
	Kind    string
	Name    string // of a resource of the app, or a schedule's expression; "" beside ARN
	ARN     string // of a resource of this server; "" beside Name
	Options map[string]string
}

// split takes a text apart. Kinds by the service in an ARN are found with kindOf.
func split(text string, kindOf func(service string) (string, error)) (URI, error) {
	text = strings.TrimSpace(text)
	bad := func(format string, args ...any) *aloft.Error {
		return aloft.Errorf(aloft.Invalid, "event source %q: %s", shorten(text), fmt.Sprintf(format, args...)).
			WithHint("such as queue:jobs?batch=10 or schedule:rate(5 minutes)")
	}
	if len(text) > maxText || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }) {
		return URI{}, bad("it is no line of text of at most %d bytes", maxText)
	}
	target, query := cutQuery(text)
	u := URI{Options: map[string]string{}}
	var found bool
	if u.Kind, u.Name, found = strings.Cut(target, ":"); !found || u.Kind == "" || u.Name == "" {
		return URI{}, bad("it is not of the form KIND:NAME")
	}
	if u.Kind == "arn" {
		service, err := arnService(target)
		if err != nil {
			return URI{}, bad("%s", err)
		}
		u.ARN, u.Name = target, ""
		if u.Kind, err = kindOf(service); err != nil {
			return URI{}, bad("%s", err)
		}
	}
	for option := range strings.SplitSeq(query, "&") {
		if option == "" {
			continue
		}
		name, value, _ := strings.Cut(option, "=")
		value, err := url.PathUnescape(value) // a plus is a plus: Etc/GMT+5
		if err != nil {
			return URI{}, bad("the option %s is badly escaped", name)
		}
		if _, twice := u.Options[name]; twice {
			return URI{}, bad("it has the option %s twice", name)
		}
		u.Options[name] = value
	}
	return u, nil
}

// cutQuery cuts at the first question mark outside of parentheses: cron(0 12 * * ? *) has one inside.
func cutQuery(text string) (target, query string) {
	depth := 0
	for i, r := range text {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == '?' && depth <= 0:
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}

// arnService is the service of an ARN, arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE.
func arnService(arn string) (string, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[2] == "" || parts[5] == "" {
		return "", fmt.Errorf("it is no ARN such as arn:aws:sqs:%s:%s:NAME", Region, Account)
	}
	return parts[2], nil
}

// Physical is the name of the resource on this server: the ARN's, or that of the app's resource in a stage.
func (u URI) Physical(ref aloft.StageRef) string {
	if u.ARN == "" {
		return ref.FunctionName(u.Name)
	}
	return u.ARN[strings.LastIndexAny(u.ARN, ":/")+1:]
}

// Label is the resource in one word.
func (u URI) Label() string {
	if u.ARN == "" {
		return u.Name
	}
	return u.Physical(aloft.StageRef{})
}

// local returns the URI with the name of the app's own resource, if its ARN is that of one.
func (u URI) local(ref aloft.StageRef) URI {
	if u.ARN == "" {
		return u
	}
	physical := u.Physical(ref)
	physical = strings.TrimSuffix(physical, ".fifo")
	name, ours := strings.CutPrefix(physical, ref.App+"-")
	if ref.Stage != aloft.Production {
		name, _ = strings.CutSuffix(name, "-"+ref.Stage)
	}
	if ours && name != "" && ref.FunctionName(name) == physical {
		u.Name, u.ARN = name, ""
	}
	return u
}

// String is the text, options in order. What would be read as something else is escaped.
func (u URI) String() string {
	var b strings.Builder
	b.WriteString(u.Bare())
	for i, name := range slices.Sorted(maps.Keys(u.Options)) {
		b.WriteByte("?&"[min(i, 1)])
		b.WriteString(name + "=" + escape(u.Options[name]))
	}
	return b.String()
}

// Bare is the text without options.
func (u URI) Bare() string {
	if u.ARN != "" {
		return u.ARN
	}
	return u.Kind + ":" + u.Name
}

func escape(value string) string {
	return strings.NewReplacer("%", "%25", "&", "%26").Replace(value)
}

// shorten keeps a text that somebody typed from filling messages.
func shorten(text string) string {
	const most = 100
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}
