// Package cfn is CloudFormation as data: a template, its intrinsic functions in their long JSON forms, and statements of IAM
// that remember why they are there. It knows no kind of resource and makes no call.
package cfn

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Template is a stack's template. Its JSON is the same for the same content.
type Template struct {
	Description string
	Metadata    map[string]any // for people and programs; CloudFormation only keeps it
	Parameters  map[string]Parameter
	Mappings    map[string]any
	Conditions  map[string]any
	Resources   map[string]Resource
	Outputs     map[string]Output
}

// Parameter is a value that a template takes.
type Parameter struct {
	Type        string // "String", "Number"
	Default     any    `json:",omitempty"`
	Description string `json:",omitempty"`
	NoEcho      bool   `json:",omitempty"` // never shown: secrets

	AllowedValues         []any  `json:",omitempty"`
	AllowedPattern        string `json:",omitempty"`
	ConstraintDescription string `json:",omitempty"`
	MinLength, MaxLength  any    `json:",omitempty"`
	MinValue, MaxValue    any    `json:",omitempty"`
}

// Resource is one thing of a stack.
type Resource struct {
	Type                string
	Condition           string         `json:",omitempty"`
	DependsOn           []string       `json:",omitempty"`
	DeletionPolicy      string         `json:",omitempty"` // Retain, Delete, Snapshot, RetainExceptOnCreate
	UpdateReplacePolicy string         `json:",omitempty"`
	CreationPolicy      map[string]any `json:",omitempty"`
	UpdatePolicy        map[string]any `json:",omitempty"`
	Metadata            map[string]any `json:",omitempty"`
	Properties          map[string]any `json:",omitempty"`
}

// Output is a value that a stack tells.
type Output struct {
	Value       any
	Description string `json:",omitempty"`
	Condition   string `json:",omitempty"`
	Export      any    `json:",omitempty"`
}

// JSON returns the text of the template, indented, with the format version.
func (t Template) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(struct {
		AWSTemplateFormatVersion string
		Description              string               `json:",omitempty"`
		Metadata                 map[string]any       `json:",omitempty"`
		Parameters               map[string]Parameter `json:",omitempty"`
		Mappings                 map[string]any       `json:",omitempty"`
		Conditions               map[string]any       `json:",omitempty"`
		Resources                map[string]Resource
		Outputs                  map[string]Output `json:",omitempty"`
	}{"2010-09-09", t.Description, t.Metadata, t.Parameters, t.Mappings, t.Conditions, t.Resources, t.Outputs})
	if err != nil {
		return nil, fmt.Errorf("write the template: %w", err)
	}
	return b.Bytes(), nil
}

// Ref refers to a parameter, a resource or a pseudo parameter.
func Ref(name string) any { return map[string]any{"Ref": name} }

// GetAtt is an attribute of a resource; its name may have dots.
func GetAtt(resource, attribute string) any {
	return map[string]any{"Fn::GetAtt": []string{resource, attribute}}
}

// Sub is text in which ${Name} and ${Name.Attribute} stand for values.
func Sub(text string) any { return map[string]any{"Fn::Sub": text} }

// Join is values with a separator between them.
func Join(separator string, values ...any) any {
	return map[string]any{"Fn::Join": []any{separator, values}}
}

// The pseudo parameters.
const (
	Region    = "AWS::Region"
	Account   = "AWS::AccountId"
	Partition = "AWS::Partition"
	StackName = "AWS::StackName"
	NoValue   = "AWS::NoValue"
)
