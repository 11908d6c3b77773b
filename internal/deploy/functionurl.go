package deploy

import (
	"context"
	"maps"
	"slices"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/manifest"
)

// urlOf is the address that a handler function is to have, nil for none.
func urlOf(f manifest.FunctionSettings) *aloft.FunctionURL {
	if f.URL == nil || f.URL.Off {
		return nil
	}
	return &aloft.FunctionURL{IAM: f.URL.Auth == "iam", Stream: f.URL.Stream != nil && *f.URL.Stream}
}

// checkURLs refuses addresses for what is no handler function.
func checkURLs(s manifest.Settings, all []aloft.Function) error {
	for _, name := range slices.Sorted(maps.Keys(s.Functions)) {
		f := s.Functions[name]
		handler := slices.ContainsFunc(all, func(f aloft.Function) bool { return f.Name == name && f.Kind == aloft.Handler })
		if urlOf(f) != nil && !f.Off && !handler {
			return aloft.Errorf(aloft.Invalid, "function %q cannot have an url: it is no handler", name).
				WithHint("web functions answer at the host of their stage: remove url from functions.%s in aloft.yml", name)
		}
	}
	return nil
}

// functionURLs are the addresses of the functions of a release, by name.
func (d *Deployer) functionURLs(ctx context.Context, release aloft.Release) map[string]string {
	if d.FunctionURLs == nil {
		return nil
	}
	return d.FunctionURLs(ctx, release)
}

// urlText says in a few words what address a function has.
func urlText(u aloft.FunctionURL) string {
	text := "function URL"
	if u.IAM {
		text += ", signed"
	}
	if u.Stream {
		text += ", streamed"
	}
	return text
}
