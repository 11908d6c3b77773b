package stack

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lambdaruntime"
)

// maxTree is how many bytes a function's code and layers may have unzipped, and shimSize what of that the shim takes.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxTree  = 250 << 20
	shimSize = 7 << 20
)

// checkTree returns Invalid for an artifact that Lambda would not take, or would start wrongly.
func checkTree(functions []aloft.Function, tree fs.FS) error {
	if err := checkSize(tree); err != nil {
		return err
	}
	info, err := fs.Stat(tree, "bootstrap")
	if err != nil || info.IsDir() {
		return nil //nolint:nilerr // the app has no such file
	}
	for _, f := range functions {
		family, _, err := lambdaruntime.Parse(f.Runtime)
		own := f.Kind == aloft.Static || f.Kind == aloft.Web && err == nil && family == lambdaruntime.Provided
		if own {
			return aloft.Errorf(aloft.Invalid, "the app has a file bootstrap, which AWS Lambda would start in place of %s", f.Name).
				WithHint("build it to another name and start it by that, or leave it out: ignore in aloft.yml")
		}
	}
	return nil
}

// checkSize returns Invalid, with the largest directories, if a tree has more bytes than a function may have.
func checkSize(tree fs.FS) error {
	total, largest := int64(0), map[string]int64{}
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		top, _, _ := strings.Cut(name, "/")
		total += info.Size()
		largest[top] += info.Size()
		return nil
	})
	if err != nil {
		return fmt.Errorf("look at the size of the app: %w", err)
	}
	if total <= maxTree-shimSize {
		return nil
	}
	names := slices.SortedFunc(maps.Keys(largest), func(a, b string) int { return cmp.Compare(largest[b], largest[a]) })
	for i, name := range names {
		names[i] = name + " " + aloft.SizeText(largest[name])
	}
	return aloft.Errorf(aloft.Invalid, "the app has %s unpacked, and AWS Lambda takes %s with the %s that aloft adds", aloft.SizeText(total), aloft.SizeText(maxTree), aloft.SizeText(shimSize)).
		WithHint("leave out what it does not need (ignore in aloft.yml); the largest: %s", strings.Join(names[:min(3, len(names))], ", "))
}
