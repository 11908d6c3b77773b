package stack

import (
	"maps"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/eventsource"
)

// addSources has the event sources of all functions render themselves.
func (s *render) addSources() error {
	for _, f := range s.functions {
		ids := map[string]bool{}
		for _, uri := range f.EventSources {
			if err := s.addSource(f, uri, ids); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *render) addSource(f aloft.Function, uri string, ids map[string]bool) error {
	source, err := s.in.Sources(uri)
	if err != nil {
		return err
	}
	cloud, ok := source.(eventsource.Cloud)
	if !ok {
		return aloft.Errorf(aloft.Invalid, "%s has the event source %s, which stages on AWS do not have", f.Name, uri).WithHint("leave it out for this stage")
	}
	rendered, err := cloud.Render(eventsource.Rendering{
		ID: sourceID(s.prefix[f.Name], source, ids), Alias: s.aliasARN(f.Name), AliasID: s.names[f.Name].Alias, Function: s.names[f.Name].Lambda,
		Web: f.Kind == aloft.Web, ARN: s.arnOf, Declared: s.declared,
	})
	if err != nil {
		return err
	}
	s.merge(rendered.Resources)
	s.caused[f.Name] = append(s.caused[f.Name], because(f.Name+" has the event source "+uri, rendered.Statements)...)
	s.noteName(f, source)
	return s.patch(rendered)
}

// sourceID is the prefix of a source's logical ids: of its kind and name, and of its digest if the function has another such.
func sourceID(prefix string, source eventsource.Source, taken map[string]bool) string {
	kind, _, _ := strings.Cut(source.String(), ":")
	id := prefix + camel(kind)
	if name := camel(strings.ToLower(source.Name())); name != camel(kind) {
		id += name
	}
	if taken[id] {
		id += digest(source.String())
	}
	taken[id] = true
	return id
}

// arnOf is the ARN of a resource that the release declares; nil if it declares none.
func (s *render) arnOf(kind, name string) any {
	if one, ok := s.stores[name]; ok && one.kind == kind {
		return one.rendered.ARN
	}
	return nil
}

// declared is the logical id of a resource that the release declares; "" if it declares none.
func (s *render) declared(kind, name string) string {
	if one, ok := s.stores[name]; ok && one.kind == kind {
		return one.id
	}
	return ""
}

// noteName tells the shim how a source is called: events have the physical name of where they come from.
func (s *render) noteName(f aloft.Function, source eventsource.Source) {
	one, ok := s.stores[source.Name()]
	if !ok {
		return
	}
	name := one.name
	if one.kind == aloft.Bucket { // it has account and region in its name, which only CloudFormation knows
		if arn, is := one.rendered.ARN.(map[string]any); is {
			text, _ := arn["Fn::Sub"].(string)
			name = text[strings.LastIndex(text, ":::")+len(":::"):]
		}
	}
	if s.sources[f.Name] == nil {
		s.sources[f.Name] = map[string]string{}
	}
	s.sources[f.Name][name] = source.Name()
}

// patch gives resources of others the properties that a source needs there. They wait for what lets them invoke the function:
// AWS looks whether it does.
func (s *render) patch(rendered eventsource.Rendered) error {
	var permissions []string
	for _, id := range slices.Sorted(maps.Keys(rendered.Resources)) {
		if kind := rendered.Resources[id].Type; kind == "AWS::Lambda::Permission" || strings.HasSuffix(kind, "Policy") {
			permissions = append(permissions, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(rendered.Patches)) {
		target, ok := s.template.Resources[id]
		if !ok {
			return aloft.Errorf(aloft.Internal, "an event source changes %s, which the stack does not have", id)
		}
		target.Properties = over(target.Properties, rendered.Patches[id])
		for _, permission := range permissions {
			if !slices.Contains(target.DependsOn, permission) {
				target.DependsOn = append(target.DependsOn, permission)
			}
		}
		s.template.Resources[id] = target
	}
	return nil
}

// over returns properties with others laid over them: objects are merged, lists appended, the rest replaced.
func over(base, patch map[string]any) map[string]any {
	all := maps.Clone(base)
	if all == nil {
		all = map[string]any{}
	}
	for key, value := range patch {
		switch value := value.(type) {
		case map[string]any:
			old, _ := all[key].(map[string]any)
			all[key] = over(old, value)
		case []any:
			old, _ := all[key].([]any)
			all[key] = slices.Concat(old, value)
		default:
			all[key] = value
		}
	}
	return all
}

// aliasARN is the ARN of a function's alias as text: it makes nothing wait for the alias, so that what the function's role
// names may lead to the function again.
func (s *render) aliasARN(function string) any {
	return cfn.Sub("arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:" + s.names[function].Lambda + ":" + Live)
}
