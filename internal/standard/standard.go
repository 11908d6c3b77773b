// Package standard is the list of kinds that aloft ships: buildpacks in order of detection, engines by strength, event
// sources. Adding a kind is one package
// and one line here.
package standard

import (
	"github.com/aloft-run/aloft/internal/buildpack"
	"github.com/aloft-run/aloft/internal/buildpack/golang"
	"github.com/aloft-run/aloft/internal/buildpack/java"
	"github.com/aloft-run/aloft/internal/buildpack/node"
	"github.com/aloft-run/aloft/internal/buildpack/procfile"
	"github.com/aloft-run/aloft/internal/buildpack/python"
	"github.com/aloft-run/aloft/internal/buildpack/ruby"
	"github.com/aloft-run/aloft/internal/buildpack/rust"
	"github.com/aloft-run/aloft/internal/buildpack/server"
	"github.com/aloft-run/aloft/internal/buildpack/static"
)

// Buildpacks returns the buildpacks in order of detection: first what names a command, then languages, then plain files.
func Buildpacks() []buildpack.Buildpack {
	return []buildpack.Buildpack{
		procfile.New(), server.New(),
		node.New(), python.New(), golang.New(), java.New(), rust.New(), ruby.New(),
		static.New(),
	}
}
