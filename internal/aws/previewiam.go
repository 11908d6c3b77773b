package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/cfndiff"
	"github.com/aloft-run/aloft/internal/stack"
)

// granted is a statement of a role of a template, as text that is the same for the same content.
type granted struct{ role, statement string }

// permissions are the statements of all regions. One that is the same in several is said once, with all of them.
func permissions(ctx context.Context, previews []*preview) ([]aloft.PermissionChange, error) {
	all := []aloft.PermissionChange{}
	for _, v := range previews {
		changes, err := v.statements(ctx)
		if err != nil {
			return nil, err
		}
		for _, c := range changes {
			at := slices.IndexFunc(all, func(other aloft.PermissionChange) bool {
				other.Regions = nil
				return reflect.DeepEqual(other, c)
			})
			if at < 0 {
				at, all = len(all), append(all, c)
			}
			all[at].Regions = append(all[at].Regions, v.name)
		}
	}
	slices.SortStableFunc(all, func(a, b aloft.PermissionChange) int { return strings.Compare(a.Role, b.Role) })
	return all, nil
}

// statements are the permissions that roles get and lose: what is in the one template and not in the other. All go with a stack.
func (v *preview) statements(ctx context.Context) ([]aloft.PermissionChange, error) {
	changes := []aloft.PermissionChange{}
	if v.said.CodeOnly {
		return changes, nil
	}
	var after cfn.Template
	if !v.leaves {
		var err error
		if after, err = cfndiff.Read(v.template); err != nil {
			return nil, err
		}
	}
	was, is := rolesOf(v.before), rolesOf(after)
	reasons := why(v.out)
	maps.Copy(reasons, v.earlier(ctx, was, is))
	for _, one := range compared(was, is) {
		change, err := one.change(aloft.Remove, reasons)
		if err != nil {
			return nil, err
		}
		changes = append(changes, change)
	}
	for _, one := range compared(is, was) {
		change, err := one.change(aloft.Add, reasons)
		if err != nil {
			return nil, err
		}
		changes = append(changes, change)
	}
	return changes, nil
}

// earlier are the reasons of the release that serves, if something of it goes.
func (v *preview) earlier(ctx context.Context, was, is map[granted]bool) map[granted]reason {
	if len(compared(was, is)) == 0 || v.current.AWS == nil || v.current.Artifact.Digest == "" {
		return nil
	}
	d := *v.deployment
	d.release = v.current
	old := &preview{regional: &regional{region: v.region, deployment: &d}}
	config, err := v.Unseal(ctx, v.current)
	if d.config = config; err == nil {
		err = old.foresee(ctx)
	}
	if err != nil { // a reason is nice to have
		v.Logger.Warn("render the release that serves", "release", v.current.Version, "error", err)
		return nil
	}
	return why(old.out)
}

// compared are the statements of a that b lacks, sorted.
func compared(a, b map[granted]bool) []granted {
	var all []granted
	for one := range a {
		if !b[one] {
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b granted) int {
		return strings.Compare(a.role+"\n"+a.statement, b.role+"\n"+b.statement)
	})
	return all
}

// rolesOf are the statements of all roles of a template that was read.
func rolesOf(t cfn.Template) map[granted]bool {
	all := map[granted]bool{}
	for id, r := range t.Resources {
		if r.Type != "AWS::IAM::Role" {
			continue
		}
		policies, _ := r.Properties["Policies"].([]any)
		for _, p := range policies {
			policy, _ := p.(map[string]any)
			document, _ := policy["PolicyDocument"].(map[string]any)
			statements, _ := document["Statement"].([]any)
			for _, s := range statements {
				if text, err := json.Marshal(s); err == nil {
					all[granted{id, string(text)}] = true
				}
			}
		}
	}
	return all
}

// reason is why a role has a statement.
type reason struct{ function, why string }

// why are the reasons of a template's statements. That of a role itself has an empty statement.
func why(out stack.Output) map[granted]reason {
	all := map[granted]reason{}
	for _, g := range out.Statements {
		if g.Policy == "" {
			all[granted{g.Role, g.Text}] = reason{g.Function, g.Why}
		}
		all[granted{g.Role, ""}] = reason{function: g.Function}
	}
	return all
}

func (g granted) change(action aloft.Action, reasons map[granted]reason) (aloft.PermissionChange, error) {
	var s struct{ Effect, Action, NotAction, Resource, NotResource any }
	if err := json.Unmarshal([]byte(g.statement), &s); err != nil {
		return aloft.PermissionChange{}, fmt.Errorf("read a statement: %w", err)
	}
	because, known := reasons[g]
	if !known {
		because.function = reasons[granted{g.role, ""}].function
	}
	c := aloft.PermissionChange{
		Action: action, Role: g.role, Function: because.function, Effect: fmt.Sprint(s.Effect), Why: because.why,
		Actions: texts(s.Action), Resources: texts(s.Resource),
	}
	for _, n := range texts(s.NotAction) {
		c.Actions = append(c.Actions, "all but "+n)
	}
	for _, n := range texts(s.NotResource) {
		c.Resources = append(c.Resources, "all but "+n)
	}
	return c, nil
}

// texts are one value or several, for people: Orders.Arn for what a template gets from elsewhere.
func texts(value any) []string {
	all := []string{}
	switch v := value.(type) {
	case nil:
	case string:
		all = append(all, v)
	case []any:
		for _, one := range v {
			all = append(all, texts(one)...)
		}
	case map[string]any:
		text, err := json.Marshal(v)
		if err != nil {
			return all
		}
		if of, ok := v["Fn::GetAtt"].([]any); ok {
			text = []byte(strings.Join(texts(of), "."))
		}
		for _, key := range []string{"Ref", "Fn::Sub"} {
			if of, ok := v[key].(string); ok {
				text = []byte(of)
			}
		}
		all = append(all, string(text))
	}
	return all
}
