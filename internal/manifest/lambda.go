package manifest

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"

	"github.com/aloft-run/aloft"
)

// Lambda is what a project says about a function that only AWS Lambda knows. Zero values are "not said".
type Lambda struct {
	EphemeralStorage int               `json:",omitempty"` // MB
	Layers           []string          `json:",omitempty"` // ARNs
	Reserved         *int              `json:",omitempty"`
	Provisioned      *int              `json:",omitempty"`
	SnapStart        *bool             `json:",omitempty"`
	Role             string            `json:",omitempty"` // ARN
	Policy           []json.RawMessage `json:",omitempty"` // statements
}

// lambdaKey is what only AWS Lambda knows of a function.
func lambdaKey() key[FunctionSettings] {
	const leastStorage, mostStorage, mostAtOnce = 512, 10240, 100_000
	storage := size()
	storage.like = `from "512MB" to "10GB"`
	keys := objectOf(
		bind(KeyDoc{Key: "ephemeral-storage", Default: "512MB", Meaning: "How much fits into /tmp."},
			checked(storage, func(d *document, n node, v *int) error {
				if *v < leastStorage || *v > mostStorage {
					return d.expected(n, storage.wants, storage.like)
				}
				return nil
			}), func(l *Lambda) *int { return &l.EphemeralStorage }),
		bind(KeyDoc{Key: "layers", Meaning: "Layers besides those that aloft needs, by the ARNs of their versions."},
			listOf(formed("the ARN of a layer's version", `such as "arn:aws:lambda:eu-central-1:123456789012:layer:NAME:1"`, `^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+$`)),
			func(l *Lambda) *[]string { return &l.Layers }),
		bind(KeyDoc{Key: "reserved", Default: "none", Meaning: "How much concurrency is kept for it, and is all it gets; 0 stops it."},
			said(within(0, mostAtOnce)), func(l *Lambda) **int { return &l.Reserved }),
		bind(KeyDoc{Key: "provisioned", Default: "0", Meaning: "How many instances are kept warm; they cost money all the time."},
			said(within(0, mostAtOnce)), func(l *Lambda) **int { return &l.Provisioned }),
		bind(KeyDoc{Key: "snapstart", Default: "false", Meaning: "Whether instances start from a snapshot of an initialised one. Lambda has it for Java, Python and .NET."},
			said(yesNo()), func(l *Lambda) **bool { return &l.SnapStart }),
		bind(KeyDoc{Key: "role", Default: "one that aloft makes", Meaning: "The ARN of the role it has. Its edges give it variables then, and the role must let it use them."},
			formed("a role's ARN", `such as "arn:aws:iam::123456789012:role/NAME"`, `^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$`), func(l *Lambda) *string { return &l.Role }),
		bind(KeyDoc{Key: "policy", Meaning: "Statements of IAM that its role has besides those of its edges, in the long forms of CloudFormation."},
			statements(), func(l *Lambda) *[]json.RawMessage { return &l.Policy }),
	)
	return bind(KeyDoc{Key: "lambda", Meaning: "What only AWS Lambda knows. On other platforms it has no effect."},
		said(checked(keys, checkLambda)), func(f *FunctionSettings) **Lambda { return &f.Lambda })
}

// checkLambda refuses what contradicts itself.
func checkLambda(d *document, n node, l *Lambda) error {
	if policy, is := n.get("policy"); is && l.Role != "" {
		return d.fault(policy.at, "%s: a role of your own has its statements already", n.path).WithHint("add them to the role, or remove role")
	}
	if provisioned, is := n.get("provisioned"); is && *l.Provisioned > 0 && l.SnapStart != nil && *l.SnapStart {
		return d.fault(provisioned.at, "%s: snapstart and provisioned exclude each other", n.path).WithHint("keep one of the two")
	}
	if provisioned, is := n.get("provisioned"); is && l.Reserved != nil && *l.Provisioned > *l.Reserved {
		return d.fault(provisioned.at, "%s: provisioned is %d, more than reserved, %d", n.path, *l.Provisioned, *l.Reserved).WithHint("correct one of the two")
	}
	return nil
}

// formed is text of a form.
func formed(wants, like, form string) shape[string] {
	pattern := regexp.MustCompile(form)
	return word(wants, like, map[string]any{"type": "string", "pattern": form}, func(n node) (string, bool) {
		return n.text, n.kind == text && pattern.MatchString(n.text)
	})
}

// statements are one statement of a policy or a list of them, which are handed on as they are.
func statements() shape[[]json.RawMessage] {
	const wants, like = "a statement of IAM or a list of them", `such as {Effect: Allow, Action: "ses:GetSendQuota", Resource: "*"}`
	either := func(name string) any {
		return map[string]any{"oneOf": []any{map[string]any{"required": []any{name}}, map[string]any{"required": []any{"Not" + name}}}}
	}
	one := map[string]any{
		"type": "object", "required": []any{"Effect"}, "allOf": []any{either("Action"), either("Resource")}, "additionalProperties": false,
		"properties": map[string]any{
			"Sid": map[string]any{"type": "string"}, "Effect": map[string]any{"enum": []any{"Allow", "Deny"}}, "Action": map[string]any{}, "NotAction": map[string]any{},
			"Resource": map[string]any{}, "NotResource": map[string]any{}, "Condition": map[string]any{"type": "object"},
		},
	}
	return shape[[]json.RawMessage]{
		wants: wants, like: like, schema: map[string]any{"anyOf": []any{one, map[string]any{"type": "array", "items": one}}},
		read: func(d *document, n node) ([]json.RawMessage, error) {
			items := n.items
			if n.kind == object {
				items = []node{n}
			} else if n.kind != list {
				return nil, d.expected(n, wants, like)
			}
			all := []json.RawMessage{}
			for _, item := range items {
				item.path = n.path
				if err := d.checkStatement(item, like); err != nil {
					return nil, err
				}
				all = append(all, json.RawMessage(jsonOf(item)))
			}
			return all, nil
		},
	}
}

// checkStatement refuses what IAM would refuse as a statement of a role.
func (d *document) checkStatement(n node, like string) error {
	known := []string{"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
	if n.kind != object {
		return d.expected(n, "a statement of IAM", like)
	}
	for _, f := range n.fields {
		if !slices.Contains(known, f.name) {
			fault := d.fault(f.at, "%s: a role's statement has no %s", n.path, quote(f.name))
			if near := nearest(f.name, known); near != "" {
				return fault.WithHint("did you mean %q?", near)
			}
			return fault.WithHint("a statement has an Effect, an Action and a Resource")
		}
	}
	effect, _ := n.get("Effect")
	switch {
	case effect.text != "Allow" && effect.text != "Deny":
		return d.fault(cmp.Or(effect.at, n.at), "%s: the Effect of a statement is Allow or Deny", n.path).WithHint("write a statement %s", like)
	case !n.hasOne("Action", "NotAction") || !n.hasOne("Resource", "NotResource"):
		return d.fault(n.at, "%s: a statement has an Action and a Resource", n.path).WithHint("write a statement %s", like)
	}
	return nil
}

// hasOne reports whether n has one of two keys, with a value.
func (n node) hasOne(name, other string) bool {
	a, has := n.get(name)
	b, hasOther := n.get(other)
	return has != hasOther && (a.kind != nothing || b.kind != nothing) && (a.kind != "" || b.kind != "")
}

// over returns what l and base say together; where both speak, l wins.
func (l *Lambda) over(base *Lambda) *Lambda {
	switch {
	case l == nil && base == nil:
		return nil
	case l == nil:
		l = &Lambda{}
	case base == nil:
		base = &Lambda{}
	}
	merged := Lambda{
		EphemeralStorage: cmp.Or(l.EphemeralStorage, base.EphemeralStorage), Layers: pick(l.Layers, base.Layers),
		Reserved: cmp.Or(l.Reserved, base.Reserved), Provisioned: cmp.Or(l.Provisioned, base.Provisioned), SnapStart: cmp.Or(l.SnapStart, base.SnapStart),
		Role: cmp.Or(l.Role, base.Role), Policy: slices.Clone(l.Policy),
	}
	if l.Policy == nil {
		merged.Policy = slices.Clone(base.Policy)
	}
	return &merged
}

// Value is what a release has of it, nil for nothing.
func (l *Lambda) Value() *aloft.Lambda {
	if l == nil {
		return nil
	}
	v := &aloft.Lambda{EphemeralStorage: l.EphemeralStorage, Layers: l.Layers, Reserved: l.Reserved, Role: l.Role, Policy: l.Policy}
	if l.Provisioned != nil {
		v.Provisioned = *l.Provisioned
	}
	v.SnapStart = l.SnapStart != nil && *l.SnapStart
	return v.Clone()
}
