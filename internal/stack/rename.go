package stack

import (
	"encoding/json"
	"fmt"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// rename gives resources the logical ids that the release says, so that they go on where others of a stack were, or are not taken
// for them.
func (s *render) rename() error {
	if len(s.aws.IDs) == 0 {
		return nil
	}
	leads := func(id, attribute string) any {
		to, is := s.aws.IDs[id]
		switch {
		case !is:
			return nil
		case attribute == "":
			return cfn.Ref(to)
		}
		return cfn.GetAtt(to, attribute)
	}
	text, err := json.Marshal(s.template)
	if err != nil {
		return fmt.Errorf("write the template: %w", err)
	}
	var plain any
	if err := decode(text, &plain); err != nil {
		return fmt.Errorf("read the template: %w", err)
	}
	if text, err = json.Marshal(cfn.Rewrite(plain, leads)); err != nil {
		return fmt.Errorf("write the template: %w", err)
	}
	var template cfn.Template
	if err := decode(text, &template); err != nil {
		return fmt.Errorf("read the template: %w", err)
	}
	resources := map[string]cfn.Resource{}
	for id, resource := range template.Resources {
		for i, after := range resource.DependsOn {
			resource.DependsOn[i] = s.aws.IDOf(after)
		}
		if _, twice := resources[s.aws.IDOf(id)]; twice {
			return aloft.Errorf(aloft.Invalid, "aws.ids: two things of the stack would be called %s", s.aws.IDOf(id)).WithHint("give each id once")
		}
		resources[s.aws.IDOf(id)] = resource
	}
	template.Resources = resources
	s.template = template
	for name, names := range s.names {
		names.Function, names.Version, names.Alias = s.aws.IDOf(names.Function), s.aws.IDOf(names.Version), s.aws.IDOf(names.Alias)
		s.names[name] = names
	}
	return nil
}
