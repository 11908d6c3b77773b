package manifest

import (
	"maps"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// edges are what a function uses: one edge or a list of them. An empty list says that it uses nothing.
func edges() shape[[]string] {
	form := `^` + strings.Trim(namePattern, "^$") + `(:[a-z]+)?$`
	return listOf(word("a resource's name", `such as "uploads" or "uploads:read"`, map[string]any{"type": "string", "pattern": form}, func(n node) (string, bool) {
		e := aloft.CutEdge(n.text)
		return n.text, n.kind == text && aloft.CheckName("resource", e.Resource) == nil && e.String() == n.text
	}))
}

func usesKey() key[Settings] {
	return bind(KeyDoc{Key: "uses", Default: "all resources", Meaning: "What functions use that do not say it themselves. See functions.FUNCTION.uses."},
		edges(), func(s *Settings) *[]string { return &s.Uses })
}

func functionUsesKey() key[FunctionSettings] {
	return bind(KeyDoc{
		Key: "uses", Default: "the general ones, else all resources",
		Meaning: "Which resources it uses, and how: uploads:read, jobs:send, db. On AWS it has the variables of these, and may do no more; [] is none.",
	}, edges(), func(f *FunctionSettings) *[]string { return &f.Uses })
}

// UsesOf are the edges of a function: its own, else the general ones, else one to every resource, as on a platform where all
// functions see all resources. It returns Invalid for what is not there.
func (s Settings) UsesOf(function string) ([]string, error) {
	uses := s.Functions[function].Uses
	if uses == nil {
		uses = s.Uses
	}
	if uses == nil {
		return slices.Sorted(maps.Keys(s.Resources)), nil
	}
	for _, text := range uses {
		if what, hint := badEdge(text, s.Resources); what != "" {
			return nil, aloft.Errorf(aloft.Invalid, "%s uses %q: %s", function, text, what).WithHint("%s", hint)
		}
	}
	return slices.Clone(uses), nil
}

// checkUses refuses edges to what is not there. What a stage declares is there for the stage alone.
func checkUses(d *document, n node, l *layer) error {
	if err := checkUsesIn(d, n, l.base.Resources); err != nil {
		return err
	}
	stages, _ := n.get("stages")
	for _, f := range stages.fields {
		if err := checkUsesIn(d, f.value, mergeResources(l.stages[f.name].Resources, l.base.Resources)); err != nil {
			return err
		}
	}
	return nil
}

// checkUsesIn looks at one section.
func checkUsesIn(d *document, n node, resources map[string]ResourceSettings) error {
	sections := []node{n}
	functions, _ := n.get("functions")
	for _, f := range functions.fields {
		v := f.value
		v.path = "functions." + f.name + "."
		sections = append(sections, v)
	}
	for _, section := range sections {
		uses, _ := section.get("uses")
		items := uses.items
		if uses.kind == text {
			items = []node{uses}
		}
		for i, item := range items {
			if what, hint := badEdge(item.text, resources); what != "" {
				return d.fault(item.at, "%suses: %s", section.path, what).WithHint("%s", hint)
			}
			if slices.ContainsFunc(items[:i], func(other node) bool { return other.text == item.text }) {
				return d.fault(item.at, "%suses: %s is there twice", section.path, quote(item.text)).WithHint("remove one of the two")
			}
		}
	}
	return nil
}

// badEdge says what is wrong with an edge, and what to do about it; "" if nothing is.
func badEdge(text string, resources map[string]ResourceSettings) (what, hint string) {
	e := aloft.CutEdge(text)
	r, declared := resources[e.Resource]
	if !declared {
		what = "there is no resource " + quote(e.Resource)
		if near := nearest(e.Resource, slices.Collect(maps.Keys(resources))); near != "" {
			return what, "did you mean " + quote(near) + "?"
		}
		return what, "declare it in the resources section, such as " + e.Resource + ": " + aloft.Bucket
	}
	words := aloft.EdgeWords(r.Type)
	switch {
	case e.Word == "" || slices.Contains(words, e.Word):
		return "", ""
	case len(words) == 0:
		return "a " + r.Type + " has no edge " + quote(e.Word), "write " + e.Resource
	}
	what = "a " + r.Type + " has no edge " + quote(e.Word)
	if near := nearest(e.Word, words); near != "" {
		return what, "did you mean " + quote(e.Resource+":"+near) + "?"
	}
	return what, "write " + e.Resource + ":" + strings.Join(words, ", or "+e.Resource+":") + ", or " + e.Resource + " for all it has"
}
