package stack

import (
	"cmp"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/resource"
)

// Store is what a declared resource is known by.
type Store struct {
	Name     string // physical, as text for Fn::Sub: it may name account and region
	ARN      string // likewise, "" if it has none; it may be an attribute that only the stack knows
	Variable string // by which functions know it
}

// Stores are what the resources of a release are known by, in its order.
func Stores(in Input) ([]Store, error) {
	s, err := begin(in)
	if err != nil {
		return nil, err
	}
	if err := s.addResources(); err != nil {
		return nil, err
	}
	var all []Store
	for _, one := range in.Release.Resources {
		made := s.stores[one.Name]
		store := Store{Name: cmp.Or(made.rendered.Name, made.name), Variable: resource.Variable(one)}
		if made.rendered.ARN != nil {
			store.ARN = cfn.Text(made.rendered.ARN)
		}
		all = append(all, store)
	}
	return all, nil
}

// FunctionURLOutputs are the names of the outputs that have the addresses of functions of their own, by function.
func FunctionURLOutputs(release aloft.Release) (map[string]string, error) {
	s, err := begin(Input{Release: release})
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, f := range s.functions {
		if f.Kind == aloft.Handler && f.URL != nil {
			all[f.Name] = s.prefix[f.Name] + functionURL
		}
	}
	return all, nil
}

// functionURL ends the names of those outputs.
const functionURL = "FunctionURL"
