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
	return s.checkNotifications()
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
	in, err := s.sourceRendering(f)
	if err != nil {
		return err
	}
	in.ID = sourceID(s.prefix[f.Name], source, ids)
	missing := ""
	in.ARN = func(kind, name string) any {
		if arn := s.arnOf(kind, name); arn != nil {
			return arn
		}
		missing = kind + " " + name
		return ""
	}
	rendered, err := cloud.Render(in)
	switch {
	case err != nil:
		return err
	case missing != "":
		return aloft.Errorf(aloft.Invalid, "%s has the event source %s, and the app declares no %s", f.Name, uri, missing).
			WithHint("declare it in the resources section of aloft.yml, or name the ARN of one that is there already")
	}
	s.merge(rendered.Resources)
	why := f.Name + " has the event source " + uri
	s.caused[f.Name] = append(s.caused[f.Name], because(why, rendered.Statements)...)
	for id := range rendered.Resources {
		s.roleFor[id] = why
	}
	if rendered.Origin != "" && rendered.Origin != source.Name() {
		if s.sources[f.Name] == nil {
			s.sources[f.Name] = map[string]string{}
		}
		s.sources[f.Name][rendered.Origin] = source.Name()
	}
	return s.patch(rendered)
}

// sourceRendering is what all sources of a function have in common.
func (s *render) sourceRendering(f aloft.Function) (eventsource.Rendering, error) {
	timeout, err := s.timeout(f)
	return eventsource.Rendering{
		Alias: cfn.Ref(s.names[f.Name].Alias), AliasID: s.names[f.Name].Alias, Function: s.names[f.Name].Lambda, Web: f.Kind == aloft.Web,
		Timeout: timeout, KMSKey: s.aws.KMSKey, Declared: s.declared, Physical: s.physical,
	}, err
}

// sourceID is the prefix of a source's logical ids: of its kind and name, so that it stays when options change, for AWS has no two
// mappings of one queue to a function. A schedule has no name but its text, by which AWS knows it too; so has a second source of
// one name.
func sourceID(prefix string, source eventsource.Source, taken map[string]bool) string {
	kind, _, _ := strings.Cut(source.String(), ":")
	id := prefix + camel(kind)
	unnamed := source.Name() == kind
	if !unnamed {
		id += camel(strings.ToLower(source.Name()))
	}
	id += "Source"
	if unnamed || taken[id] {
		id += cfn.Digest(source.String())
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

// physical is the name of a resource that the release declares, as text for Fn::Sub; "" if it declares none.
func (s *render) physical(kind, name string) string {
	one, ok := s.stores[name]
	switch {
	case !ok || one.kind != kind:
		return ""
	case one.rendered.Name != "":
		return one.rendered.Name
	}
	return one.name
}

// patch gives resources of others what a source needs there, and has them wait for what AWS looks for.
func (s *render) patch(rendered eventsource.Rendered) error {
	targets := slices.Concat(slices.Collect(maps.Keys(rendered.Patches)), slices.Collect(maps.Keys(rendered.After)))
	slices.Sort(targets)
	for _, id := range slices.Compact(targets) {
		target, ok := s.template.Resources[id]
		if !ok {
			return aloft.Errorf(aloft.Internal, "an event source changes %s, which the stack does not have", id)
		}
		target.Properties = maps.Clone(target.Properties)
		if patch := rendered.Patches[id]; len(patch) > 0 {
			if target.Properties == nil {
				target.Properties = map[string]any{}
			}
			eventsource.Patch(target.Properties, patch)
		}
		for _, before := range rendered.After[id] {
			if !slices.Contains(target.DependsOn, before) {
				target.DependsOn = append(slices.Clone(target.DependsOn), before)
			}
		}
		s.template.Resources[id] = target
	}
	return nil
}

// aliasARN is the ARN of a function's alias as text: it makes nothing wait for the alias, so that what the function's role
// names may lead to the function again.
func (s *render) aliasARN(function string) any {
	return cfn.Sub("arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:" + s.names[function].Lambda + ":" + Live)
}
