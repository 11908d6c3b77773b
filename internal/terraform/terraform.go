// Package terraform turns the template of a stack into a configuration of Terraform with equal meaning, for those who want to go on
// without aloft: resources of the provider hashicorp/aws 5 that refer to each other as those of the template do. It is pure: the
// same input gives the same text; it makes no call and reads no file.
//
// What the provider has no resource for, or no argument, stays a stack of its own with that one resource
// (aws_cloudformation_stack), which refers to the others and is referred to as if it were one of the provider's. It is refused, by
// its name, where others need it to be one of the provider's: functions, their versions and aliases, roles.
package terraform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// Input is what is translated.
type Input struct {
	Template cfn.Template
	Stack    string // the name of the stack, from which names are made that CloudFormation would make
	Region   string
	Files    map[string]File // the zips of functions and layers, by the key that the template has
}

// File is a zip beside the configuration.
type File struct {
	Path string // relative, with slashes
	Size int64  // bytes
}

// Output is a configuration.
type Output struct {
	Main, Variables, Outputs []byte            // main.tf, variables.tf, outputs.tf; of the last two nil if there are none
	Stacks                   map[string]string // what stays a stack of CloudFormation, by logical id, and why
}

// Translate returns the configuration of a template. It returns Invalid, with the resource and the property, for what cannot be said
// in Terraform.
func Translate(in Input) (Output, error) {
	template, err := plain(in.Template)
	if err != nil {
		return Output{}, err
	}
	if err := check(template); err != nil {
		return Output{}, err
	}
	t := &translation{in: in, template: template, kinds: allKinds(), uses: usesOf(template), stacks: map[string]string{}}
	t.names = namesOf(slices.Sorted(maps.Keys(template.Resources)))
	for {
		err := t.translate()
		missing, ok := errors.AsType[*missing](err)
		switch {
		case err == nil:
			return t.output()
		case !ok:
			return Output{}, err
		case solid(template.Resources[missing.id].Type):
			return Output{}, aloft.Errorf(aloft.Invalid, "%s (%s) has the property %s, which Terraform's provider does not have", missing.id, template.Resources[missing.id].Type, missing.property).
				WithHint("remove it from the section cloudformation, or use aloft export cloudformation")
		}
		t.stacks[missing.id] = missing.Error() // others that refer to it are translated anew
	}
}

// plain is a template as JSON has it: maps, lists, texts, numbers.
func plain(t cfn.Template) (cfn.Template, error) {
	text, err := json.Marshal(t)
	if err != nil {
		return cfn.Template{}, fmt.Errorf("write the template: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var read cfn.Template
	if err := d.Decode(&read); err != nil {
		return cfn.Template{}, fmt.Errorf("read the template: %w", err)
	}
	return read, nil
}

// check returns Invalid for parts of templates that have no translation. aloft makes none of them; the section cloudformation may.
func check(t cfn.Template) error {
	refuse := func(what string) error {
		return aloft.Errorf(aloft.Invalid, "the section cloudformation has %s, which have no translation to Terraform", what).
			WithHint("use aloft export cloudformation, or say it without them")
	}
	switch {
	case len(t.Conditions) > 0:
		return refuse("Conditions")
	case len(t.Mappings) > 0:
		return refuse("Mappings")
	}
	for id, r := range t.Resources {
		_, inPlace := r.UpdatePolicy["EnableVersionUpgrade"] // of a search domain, which Terraform upgrades so anyhow
		if r.CreationPolicy != nil || r.UpdatePolicy != nil && (len(r.UpdatePolicy) > 1 || !inPlace) {
			return refuse("policies of creation or update (" + id + ")")
		}
	}
	return nil
}

// solid reports whether others need a resource to be one of the provider's.
func solid(kind string) bool {
	switch kind {
	case "AWS::Lambda::Function", "AWS::Lambda::Version", "AWS::Lambda::Alias", "AWS::Lambda::LayerVersion", "AWS::IAM::Role":
		return true
	}
	return false
}

// missing is a property that the provider has no argument for, or a type that it is not translated for.
type missing struct {
	id       string
	property string // "" is the whole type
}

// Error says what is missing.
func (m *missing) Error() string {
	if m.property == "" {
		return "its type has no translation"
	}
	return "the provider does not have " + m.property
}
