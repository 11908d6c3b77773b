// Package static is the buildpack of sites that are files already: nothing is built and nothing is started.
package static

import (
	"io/fs"

	"github.com/aloft-run/aloft/internal/buildpack"
)

// Buildpack is the buildpack.
type Buildpack struct{}

var _ buildpack.Buildpack = Buildpack{}

// New returns the buildpack.
func New() buildpack.Buildpack { return Buildpack{} }

// Name is "static".
func (Buildpack) Name() string { return "static" }

// LooksFor names what Detect looks for.
func (Buildpack) LooksFor() string {
	return "index.html, here or in public/, dist/, build/, out/ or _site/"
}

// Detect looks for an index.html. The directories are tried in order: what a generator wrote comes after what people write.
func (Buildpack) Detect(src fs.FS) (buildpack.Plan, bool, error) {
	if buildpack.Exists(src, "index.html") {
		return buildpack.Plan{Why: "index.html", Static: &buildpack.Static{}}, true, nil
	}
	for _, dir := range []string{"public", "dist", "build", "out", "_site"} {
		if buildpack.Exists(src, dir+"/index.html") {
			return buildpack.Plan{
				Why: dir + "/index.html", Static: &buildpack.Static{Root: dir},
				Keep: []string{"/" + dir + "/"}, Ship: []string{"/" + dir + "/"},
			}, true, nil
		}
	}
	return buildpack.Plan{}, false, nil
}
