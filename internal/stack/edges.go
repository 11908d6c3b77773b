package stack

import (
	"maps"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/resource"
)

// store is a declared resource as its kind rendered it.
type store struct {
	kind     string
	id       string
	name     string // physical
	rendered resource.Rendered
}

// addResources has each kind render what the release declares.
func (s *render) addResources() error {
	r := s.in.Release
	ids := s.resourceIDs()
	for _, one := range r.Resources {
		kind, err := s.kind(one)
		if err != nil {
			return err
		}
		rendered, err := kind.Render(resource.Rendering{
			Stage: r.StageRef, Resource: one, Name: r.ResourceName(one), ID: ids[one.Name], VPC: s.aws.VPC, KMSKey: s.aws.KMSKey, Delete: s.in.DeleteData,
			Sibling: func(name string) string { return ids[name] },
		})
		if err != nil {
			return err
		}
		s.merge(rendered.Resources)
		s.stores[one.Name] = store{one.Type, ids[one.Name], r.ResourceName(one), rendered}
		if rendered.Single && len(s.aws.Regions) > 1 {
			s.warn(one.Name + " is in one region only: each of " + strings.Join(s.aws.Regions, ", ") + " has one of its own, with other content")
		}
	}
	s.warnOfUnused()
	return nil
}

// resourceIDs are the prefixes of the logical ids of declared resources, such as UploadsBucket.
func (s *render) resourceIDs() map[string]string {
	var names []string
	for _, one := range s.in.Release.Resources {
		names = append(names, one.Name)
	}
	all := ids(names)
	for _, one := range s.in.Release.Resources {
		all[one.Name] += camel(one.Type)
	}
	return all
}

func (s *render) kind(one aloft.Resource) (resource.Cloud, error) {
	var names []string
	for _, k := range s.in.Kinds {
		if k.Kind() == one.Type {
			return k, k.Check(one.Options)
		}
		names = append(names, k.Kind())
	}
	return nil, aloft.Errorf(aloft.Invalid, "%s is of the type %s, which stages on AWS do not have", one.Name, one.Type).
		WithHint("the types there are %s", strings.Join(names, ", "))
}

// merge puts resources in the order of their ids.
func (s *render) merge(resources map[string]cfn.Resource) {
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		s.put(id, resources[id])
	}
}

// warnOfUnused says which resources nothing may reach: on this machine each function reaches all.
func (s *render) warnOfUnused() {
	used := map[string]bool{}
	for _, f := range s.functions {
		if f.Lambda != nil && f.Lambda.Role != "" {
			return // its role is not known here
		}
		for _, use := range f.Uses {
			used[aloft.CutEdge(use).Resource] = true
		}
		for _, source := range f.EventSources {
			_, name, _ := strings.Cut(source, ":")
			name, _, _ = strings.Cut(name, "?")
			used[name] = true
		}
	}
	for _, one := range s.in.Release.Resources {
		if !used[one.Name] {
			s.warn("no function uses " + one.Name + ", so none may reach it on AWS: add it to the uses of one (uses: [" + one.Name + "])")
		}
	}
}

// edge is one thing that a function uses.
type edge struct {
	aloft.Edge
	store store
}

// edges are the resources that a function uses, and how. It returns Invalid for what the release does not declare.
func (s *render) edges(f aloft.Function) ([]edge, error) {
	var all []edge
	for _, text := range f.Uses {
		e := aloft.CutEdge(text)
		one, declared := s.stores[e.Resource]
		if !declared {
			return nil, aloft.Errorf(aloft.Invalid, "%s uses %s, which is no resource of the app", f.Name, e.Resource).
				WithHint("declare it in the resources section of aloft.yml; there are %s", listed(slices.Sorted(maps.Keys(s.stores))))
		}
		if words := aloft.EdgeWords(one.kind); e.Word != "" && !slices.Contains(words, e.Word) {
			return nil, aloft.Errorf(aloft.Invalid, "%s uses %s, and a %s has no %q", f.Name, text, one.kind, e.Word).WithHint("what it has is %s", listed(words))
		}
		all = append(all, edge{e, one})
	}
	return all, nil
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// because gives statements that say no reason one.
func because(why string, statements []cfn.Statement) []cfn.Statement {
	all := slices.Clone(statements)
	for i := range all {
		if all[i].Why == "" {
			all[i].Why = why
		}
	}
	return all
}
