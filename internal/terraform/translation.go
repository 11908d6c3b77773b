package terraform

import (
	"maps"
	"slices"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// translation is a configuration in the making.
type translation struct {
	in       Input
	template cfn.Template
	kinds    map[string]kind            // by type
	names    map[string]string          // in Terraform, by logical id
	uses     map[string]map[string]bool // attributes that something refers to, by logical id; "" is what Ref gives
	stacks   map[string]string          // resources that stay a stack, and why

	made  []*section
	data  map[string]*section // data sources that several need
	now   string              // the logical id of what is translated
	roles map[string]bool     // roles that it refers to
}

// section is a block of the file.
type section struct {
	id     string // logical id of what it was
	data   bool   // it only looks something up
	kind   string // "aws_sqs_queue"
	name   string
	body   *body
	after  []string // logical ids that must be there before, though nothing refers to them
	roles  []string // roles that it refers to: their policies must be there before
	policy bool     // it is a policy of the role
}

// address is how expressions name it.
func (s *section) address() string {
	if s.data {
		return "data." + s.kind + "." + s.name
	}
	return s.kind + "." + s.name
}

// translate translates all resources.
func (t *translation) translate() error {
	t.made, t.data = nil, map[string]*section{}
	for _, id := range slices.Sorted(maps.Keys(t.template.Resources)) {
		r := t.template.Resources[id]
		t.now, t.roles = id, map[string]bool{}
		from := len(t.made)
		if r.Condition != "" {
			return t.refuse("a Condition")
		}
		if err := t.resource(id, r); err != nil {
			return err
		}
		for _, one := range t.made[from:] {
			one.id, one.after, one.roles = id, append(one.after, r.DependsOn...), slices.Sorted(maps.Keys(t.roles))
		}
	}
	return nil
}

// resource translates one.
func (t *translation) resource(id string, r cfn.Resource) error {
	if _, stays := t.stacks[id]; stays {
		return t.asStack(id, r)
	}
	k, known := t.kind(id)
	if !known {
		return &missing{id: id}
	}
	if k.whole != nil {
		return k.whole(t, id, r)
	}
	main := t.add(k.name, t.names[id])
	if err := t.fill(main.body, k.shape, r.Properties); err != nil {
		return err
	}
	if k.more != nil {
		if err := k.more(t, id, r, main); err != nil {
			return err
		}
	}
	t.keep(main, r)
	return nil
}

// add begins a resource.
func (t *translation) add(kind, name string) *section {
	s := &section{kind: kind, name: name, body: &body{}}
	t.made = append(t.made, s)
	return s
}

// keep says that a resource stays when the rest goes: Terraform refuses to destroy it then.
func (t *translation) keep(s *section, r cfn.Resource) {
	if stays(r) {
		s.body.block("lifecycle").set("prevent_destroy", true)
	}
}

func stays(r cfn.Resource) bool {
	return r.DeletionPolicy == "Retain" || r.DeletionPolicy == "RetainExceptOnCreate"
}

// lookUp is a data source that all have together.
func (t *translation) lookUp(kind, name string) *section {
	key := kind + "." + name
	if t.data[key] == nil {
		t.data[key] = &section{data: true, kind: kind, name: name, body: &body{}}
	}
	return t.data[key]
}

// generated is the beginning of a name that CloudFormation would make, of at most so many bytes.
func (t *translation) generated(id string, most int) string {
	return cfn.Shorten(t.in.Stack+"-"+snake(id, "-"), most-1) + "-"
}

// output writes the files.
func (t *translation) output() (Output, error) {
	var main printer
	settings := &body{}
	settings.set("required_version", ">= 1.3")
	settings.block("required_providers").set("aws", map[string]any{"source": "hashicorp/aws", "version": t.provider()})
	main.section("terraform", nil, settings)
	provider := &body{}
	provider.set("region", raw("var.region"))
	main.section("provider", []string{"aws"}, provider)
	for _, key := range slices.Sorted(maps.Keys(t.data)) {
		s := t.data[key]
		main.section("data", []string{s.kind, s.name}, s.body)
	}
	for _, s := range t.made {
		kind := "resource"
		if s.data {
			kind = "data"
		}
		if after := t.before(s); len(after) > 0 {
			s.body.set("depends_on", after)
		}
		main.section(kind, []string{s.kind, s.name}, s.body)
	}
	variables, err := t.variables()
	if err != nil {
		return Output{}, err
	}
	outputs, err := t.outputs()
	if err != nil {
		return Output{}, err
	}
	return Output{Main: []byte(main.String()), Variables: variables, Outputs: outputs, Stacks: t.stacks}, nil
}

// before are the addresses of what must be there before a resource.
func (t *translation) before(s *section) []any {
	var all []any
	for _, one := range t.made {
		waits := slices.Contains(s.after, one.id) || one.policy && slices.Contains(s.roles, one.id)
		if waits && one != s && !one.data {
			all = append(all, raw(one.address()))
		}
	}
	return all
}

// provider is which versions of the provider there must be. It knows the runtimes of Lambda by name.
func (t *translation) provider() string {
	for _, r := range t.template.Resources {
		if name, ok := r.Properties["Runtime"].(string); ok && r.Type == "AWS::Lambda::Function" && !slices.Contains(runtimesOf5(), name) {
			return ">= 6.20, < 7.0"
		}
	}
	return ">= 5.80, < 7.0"
}

// runtimesOf5 are those that version 5.100 of the provider takes, the last 5; without those that Lambda has given up.
func runtimesOf5() []string {
	return []string{
		"nodejs18.x", "nodejs20.x", "nodejs22.x", "python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "java8.al2", "java11", "java17", "java21",
		"ruby3.2", "ruby3.3", "ruby3.4", "dotnet6", "dotnet8", "provided.al2", "provided.al2023",
	}
}

func (t *translation) variables() ([]byte, error) {
	var p printer
	region := &body{}
	region.set("type", raw("string"))
	region.set("default", t.in.Region)
	p.section("variable", []string{"region"}, region)
	for _, name := range slices.Sorted(maps.Keys(t.template.Parameters)) {
		parameter := t.template.Parameters[name]
		kind := map[string]raw{"String": "string", "Number": "number"}[parameter.Type]
		if kind == "" {
			return nil, aloft.Errorf(aloft.Invalid, "the parameter %s is a %s, which has no translation to Terraform", name, parameter.Type).
				WithHint("say its value in the section cloudformation instead")
		}
		b := &body{}
		b.set("type", kind)
		if parameter.Description != "" {
			b.set("description", parameter.Description)
		}
		b.set("default", parameter.Default)
		if parameter.NoEcho {
			b.set("sensitive", true)
		}
		p.section("variable", []string{Variable(name)}, b)
	}
	return []byte(p.String()), nil
}

func (t *translation) outputs() ([]byte, error) {
	var p printer
	for _, name := range slices.Sorted(maps.Keys(t.template.Outputs)) {
		output := t.template.Outputs[name]
		t.now, t.roles = "the output "+name, map[string]bool{}
		if output.Condition != "" || output.Export != nil {
			return nil, t.refuse("a Condition or an Export")
		}
		value, err := t.value(output.Value)
		if err != nil {
			return nil, err
		}
		b := &body{}
		if output.Description != "" {
			b.set("description", output.Description)
		}
		b.set("value", value)
		p.section("output", []string{snake(name, "_")}, b)
	}
	return []byte(p.String()), nil
}
