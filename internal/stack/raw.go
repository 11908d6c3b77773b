package stack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// CloudFormation's limits.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const (
	maxTemplate   = 1 << 20 // bytes
	maxResources  = 500
	maxParameters = 200
	maxOutputs    = 200
)

// addRaw merges what the manifest says in CloudFormation's own words over the template: objects are merged, null deletes, all
// else is replaced.
func (s *render) addRaw() error {
	if len(s.aws.CloudFormation) == 0 {
		return nil
	}
	bad := func(err error) error {
		return aloft.Errorf(aloft.Invalid, "the section cloudformation: %w", err).WithHint("it has the form of a template: Resources, Outputs and so on")
	}
	var raw map[string]any
	if err := decode(s.aws.CloudFormation, &raw); err != nil {
		return bad(err)
	}
	sections := []string{"Conditions", "Mappings", "Outputs", "Parameters", "Resources"}
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		if _, ok := raw[key].(map[string]any); !ok || !slices.Contains(sections, key) {
			return bad(fmt.Errorf("%s cannot be merged, only objects called %v can", key, sections))
		}
	}
	text, err := json.Marshal(s.template)
	if err != nil {
		return fmt.Errorf("write the template: %w", err)
	}
	var base map[string]any
	if err := decode(text, &base); err != nil {
		return fmt.Errorf("read the template: %w", err)
	}
	merged, err := json.Marshal(lay(base, raw))
	if err != nil {
		return fmt.Errorf("write the template: %w", err)
	}
	var template cfn.Template
	d := json.NewDecoder(bytes.NewReader(merged))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(&template); err != nil {
		return bad(err)
	}
	s.template = template
	return nil
}

func decode(text []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // large numbers stay what they are
	return d.Decode(to)
}

// lay returns base with raw laid over it.
func lay(base, raw map[string]any) map[string]any {
	all := maps.Clone(base)
	if all == nil {
		all = map[string]any{}
	}
	for key, value := range raw {
		if value == nil {
			delete(all, key)
			continue
		}
		all[key] = value
		if object, ok := value.(map[string]any); ok {
			old, _ := base[key].(map[string]any)
			all[key] = lay(old, object)
		}
	}
	return all
}

// check returns Invalid for a template that CloudFormation does not take.
func (s *render) check() error {
	if s.err != nil {
		return s.err
	}
	for _, bound := range []struct {
		what      string
		has, most int
	}{
		{"resources", len(s.template.Resources), maxResources},
		{"parameters", len(s.template.Parameters), maxParameters},
		{"outputs", len(s.template.Outputs), maxOutputs},
	} {
		if bound.has > bound.most {
			return aloft.Errorf(aloft.Invalid, "the stack of %s has %d %s, and CloudFormation takes %d", s.in.Release.StageRef, bound.has, bound.what, bound.most).
				WithHint("split the app into several")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.template.Parameters)) {
		if _, given := s.parameters[name]; !given && s.template.Parameters[name].Default == nil {
			return aloft.Errorf(aloft.Invalid, "the section cloudformation: the parameter %s has no Default, and nobody is asked for it", name).
				WithHint("give it a Default")
		}
	}
	for id, r := range sorted(s.template.Resources) {
		if r.Type == "" {
			return aloft.Errorf(aloft.Invalid, "the section cloudformation: %s has no Type, and the stack has nothing of that id that it would change", id).
				WithHint("give it a Type, or remove it there")
		}
	}
	text, err := s.template.JSON()
	if err == nil && len(text) > maxTemplate {
		return aloft.Errorf(aloft.Invalid, "the template of %s is %d bytes, and CloudFormation takes %d", s.in.Release.StageRef, len(text), maxTemplate).
			WithHint("split the app into several")
	}
	return err
}
