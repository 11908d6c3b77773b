// Package testevent makes events in the shapes in which AWS's services send them to functions, to try functions with. It
// sends nothing.
//
// Shapes: AWS Lambda Developer Guide, "Using AWS Lambda with other services", and the types of aws-lambda-go's package
// events, against which the tests check them.
package testevent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
)

// Where events say they come from.
const (
	region  = "us-east-1"
	account = "000000000000"
)

// Kind is a kind of event.
type Kind struct {
	Name     string
	About    string            // who sends it, and when
	Settings map[string]string // what can be set by a short name, with what it is otherwise

	make func(v values) (any, error)
}

// values are the settings of one event.
type values struct {
	set map[string]string
	now time.Time
	id  string // of the event, a UUID
}

func (v values) text(name string) string { return v.set[name] }

// millis is the time of the event in the form of S3, SNS and others.
func (v values) millis() string { return v.now.UTC().Format("2006-01-02T15:04:05.000Z") }

// arn names something of a service.
func arn(service, rest string) string {
	return "arn:aws:" + service + ":" + region + ":" + account + ":" + rest
}

// object is a JSON object.
type object = map[string]any

// records is the event of services that send several at once.
func records(record object) object { return object{"Records": []any{record}} }

// Kinds are all kinds, by name.
func Kinds() []Kind {
	all := slices.Concat(messages(), streams(), storage(), rules(), requests())
	slices.SortFunc(all, func(a, b Kind) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Names are the names of all kinds.
func Names() []string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, k.Name)
	}
	return names
}

// Make returns an event of a kind. What is set is one of the kind's settings, or a path in the event such as
// "Records.0.s3.object.size"; values at paths are JSON, or text if they are none. It returns NotFound for an unknown kind,
// Invalid for what cannot be set.
func Make(kind string, set map[string]string, now time.Time) ([]byte, error) {
	all := Kinds()
	at := slices.IndexFunc(all, func(k Kind) bool { return k.Name == kind })
	if at < 0 {
		return nil, aloft.Errorf(aloft.NotFound, "there is no sample event %q", kind).WithHint("there are: %s", strings.Join(Names(), ", "))
	}
	k := all[at]
	v, paths := values{set: maps.Clone(k.Settings), now: now, id: aloft.NewID()}, map[string]string{}
	for name, value := range set {
		if _, known := k.Settings[name]; known {
			v.set[name] = value
		} else {
			paths[name] = value
		}
	}
	event, err := k.make(v)
	if err != nil {
		return nil, err
	}
	text, err := encode(event)
	if err != nil || len(paths) == 0 {
		return text, err
	}
	var decoded any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&decoded); err != nil {
		return nil, fmt.Errorf("sample event %s: %w", kind, err)
	}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if err := assign(decoded, strings.Split(path, "."), paths[path]); err != nil {
			names := slices.Sorted(maps.Keys(k.Settings))
			return nil, aloft.Errorf(aloft.Invalid, "%q cannot be set in an event of the kind %s: %w", path, kind, err).
				WithHint("set one of %s, or a path such as Records.0.eventName", strings.Join(names, ", "))
		}
	}
	return encode(decoded)
}

// encode leaves <, > and & as they are.
func encode(event any) ([]byte, error) {
	if text, ok := event.(json.RawMessage); ok {
		return text, nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(event); err != nil {
		return nil, fmt.Errorf("encode a sample event: %w", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// assign puts a value at a path. Members of objects may be new, places of arrays not.
func assign(in any, path []string, text string) error {
	last := len(path) == 1
	switch at := in.(type) {
	case map[string]any:
		inner, there := at[path[0]]
		switch {
		case last:
			at[path[0]] = value(text)
			return nil
		case there:
			return assign(inner, path[1:], text)
		}
		return fmt.Errorf("there is no %q", path[0])
	case []any:
		n, err := strconv.Atoi(path[0])
		if err != nil || n < 0 || n >= len(at) {
			return fmt.Errorf("there is no place %q among %d", path[0], len(at))
		}
		if last {
			at[n] = value(text)
			return nil
		}
		return assign(at[n], path[1:], text)
	}
	return fmt.Errorf("%q is in neither an object nor an array", path[0])
}

// value reads JSON, or takes text as it is.
func value(text string) any {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return text
}
