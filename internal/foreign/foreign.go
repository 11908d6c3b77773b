// Package foreign says what a stack that others made would be as apps of aloft: which functions, with which settings, and what
// there are no words for. It is pure: what is in the account is handed in.
package foreign

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/lambdaruntime"
)

// Stack is a stack as the account has it.
type Stack struct {
	Name, Region string
	Template     cfn.Template        // as it was carried out; nothing if it is no JSON
	Physical     map[string]Resource // by logical id
	Functions    []Function

	Parameters map[string]string // values of the template's parameters, as far as AWS tells
	Fault      error             // why the template is not known to the last of its words
}

// Resource is one thing of a stack.
type Resource struct{ Type, ID string }

// Function is a function of a stack.
type Function struct {
	Logical, Name              string
	Handler, Runtime           string
	Architecture, Role, Digest string
	Image                      bool // it has no zip
	Memory, Timeout            int  // MB, seconds
	Layers                     []string
	Mappings                   []string     // ARNs of what Lambda polls for it
	Variables                  aloft.Config // secret
}

// App is an app that has one package.
type App struct {
	Name      string
	Digest    string
	Functions []Named
	Manifest  []byte // aloft.yml
}

// Named is a function with its name in the app.
type Named struct {
	Function

	As     string
	routes []string
	events []string
	url    bool

	address *aloft.FunctionURL
	keys    []string // of routes in an HTTP API
}

// Output are the apps of a stack, and what came of each of its resources, for people.
type Output struct {
	Apps           []App
	Imported, Left []string
}

// Read returns the apps. Functions with the same package are one.
func Read(s Stack) Output {
	r := reader{Stack: s, seen: map[string]string{}}
	var packages []string
	byPackage := map[string][]Named{}
	for _, f := range s.Functions {
		if why := unfit(f); why != "" {
			r.leave(f.Logical, why)
			continue
		}
		if _, there := byPackage[f.Digest]; !there {
			packages = append(packages, f.Digest)
		}
		named := r.read(f)
		r.seen[f.Logical] = "the function " + named.As
		byPackage[f.Digest] = append(byPackage[f.Digest], named)
	}
	var out Output
	for _, digest := range packages {
		app := App{Name: appName(s.Name), Digest: digest, Functions: unique(byPackage[digest])}
		if len(packages) > 1 {
			app.Name = appName(s.Name + "-" + app.Functions[0].As)
		}
		app.Manifest = r.manifest(app)
		out.Apps = append(out.Apps, app)
	}
	out.Imported, out.Left = r.account()
	return out
}

// unfit is why a function cannot be one of aloft's; "" if it can.
func unfit(f Function) string {
	family, _, err := lambdaruntime.Parse(f.Runtime)
	switch {
	case f.Image:
		return "it is an image, and aloft deploys zips"
	case err != nil:
		return "aloft has no runtime " + f.Runtime
	case family == lambdaruntime.Java:
		return "what it was built from is not in its package: write an app for its source"
	}
	return ""
}

// appName is a name as apps have them.
func appName(text string) string {
	const most = 40
	var b strings.Builder
	for _, c := range strings.ToLower(text) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			b.WriteRune(c)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
	}
	name := strings.TrimLeft(strings.Trim(b.String(), "-"), "0123456789-")
	name = strings.Trim(name[:min(most, len(name))], "-")
	if name == "" {
		return "imported"
	}
	return name
}

// unique gives functions of one app names that differ.
func unique(all []Named) []Named {
	taken := map[string]bool{}
	for i := range all {
		name := all[i].As
		for n := 2; taken[all[i].As]; n++ {
			all[i].As = fmt.Sprintf("%s-%d", name, n)
		}
		taken[all[i].As] = true
	}
	return all
}

// reader takes a stack apart.
type reader struct {
	Stack

	seen map[string]string // what came of resources, by logical id; what is not in it was left
	left map[string]string // and why
}

func (r *reader) leave(id, why string) {
	if r.left == nil {
		r.left = map[string]string{}
	}
	r.left[id] = why
}

// read finds what invokes a function.
func (r *reader) read(f Function) Named {
	named := Named{Function: f, As: appName(strings.TrimSuffix(strings.TrimSuffix(kebab(f.Logical), "-lambda-function"), "-function"))}
	named.events = slices.Clone(f.Mappings)
	for id, one := range r.Template.Resources {
		if one.Type == "AWS::Lambda::Function" || !refers(one.Properties, f.Logical) {
			continue
		}
		switch one.Type {
		case "AWS::Lambda::Url":
			named.url, r.seen[id] = true, "url of "+named.As
		case "AWS::Lambda::EventSourceMapping":
			r.seen[id] = "an event source of " + named.As
		case "AWS::Lambda::Permission", "AWS::Lambda::Version", "AWS::Lambda::Alias":
			r.seen[id] = "aloft makes its own"
		case "AWS::Events::Rule":
			if expression, ok := one.Properties["ScheduleExpression"].(string); ok {
				named.events, r.seen[id] = append(named.events, "schedule:"+expression), "an event source of "+named.As
			}
		case "AWS::SNS::Subscription":
			if topic := r.physical(one.Properties["TopicArn"]); topic != "" {
				named.events, r.seen[id] = append(named.events, topic), "an event source of "+named.As
			}
		case "AWS::ApiGatewayV2::Integration":
			named.routes, r.seen[id] = append(named.routes, r.routes(id, named.As)...), "routes of "+named.As
		}
	}
	slices.Sort(named.events)
	slices.Sort(named.routes)
	return named
}

// routes are those that lead to an integration of an HTTP API.
func (r *reader) routes(integration, function string) []string {
	var all []string
	for id, one := range r.Template.Resources {
		key, _ := one.Properties["RouteKey"].(string)
		if one.Type != "AWS::ApiGatewayV2::Route" || !refers(one.Properties["Target"], integration) {
			continue
		}
		r.seen[id] = "a route of " + function
		method, path, _ := strings.Cut(strings.ReplaceAll(key, "+}", "...}"), " ")
		switch method {
		case "$default":
			path = "/"
		case "ANY":
		default:
			path = method + " " + path
		}
		all = append(all, path)
	}
	return all
}

// physical is what a value names in the account, if it is text or a reference; "" if that is not known.
func (r *reader) physical(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	object, _ := v.(map[string]any)
	id, _ := object["Ref"].(string)
	return r.Physical[id].ID
}

// refers reports whether a value refers to a resource of the template.
func refers(v any, id string) bool {
	text, err := json.Marshal(v)
	if err != nil {
		return false
	}
	for _, form := range []string{`{"Ref":"` + id + `"}`, `["` + id + `","`, `"` + id + `.Arn"`, "${" + id + "}", "${" + id + ".Arn}"} {
		if strings.Contains(string(text), form) {
			return true
		}
	}
	return false
}

// kebab is a logical id in the way of names: CreateThumbnail is create-thumbnail.
func kebab(id string) string {
	var b strings.Builder
	for i, c := range id {
		if c >= 'A' && c <= 'Z' && i > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
		b.WriteString(strings.ToLower(string(c)))
	}
	return b.String()
}
