package stack

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/aloft-run/aloft/internal/cfn"
)

// camel is a name as part of a logical id, which may have letters and digits only: "create-thumbnail" is CreateThumbnail.
func camel(name string) string {
	var b strings.Builder
	upper := true
	for _, c := range name {
		switch {
		case c >= 'a' && c <= 'z' && upper:
			b.WriteRune(c - 'a' + 'A')
			upper = false
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			b.WriteRune(c)
			upper = false
		default:
			upper = true
		}
	}
	return b.String()
}

// ids are parts of logical ids for names. Names that would have the same one get some of their digest besides.
func ids(names []string) map[string]string {
	count := map[string]int{}
	for _, name := range names {
		count[camel(name)]++
	}
	all := map[string]string{}
	for _, name := range names {
		all[name] = camel(name)
		if count[camel(name)] > 1 {
			all[name] += cfn.Digest(name)
		}
	}
	return all
}

// sorted goes through a map in the order of its keys.
func sorted[V any](all map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(all)) {
			if !yield(key, all[key]) {
				return
			}
		}
	}
}
