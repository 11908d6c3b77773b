// Package rust is the buildpack of Rust programs. Cargo builds a release of the package into bin; what is not Rust source is
// shipped beside it.
package rust

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
)

// Buildpack is the buildpack.
type Buildpack struct{}

var _ buildpack.Buildpack = Buildpack{}

// New returns the buildpack.
func New() buildpack.Buildpack { return Buildpack{} }

// Name is "rust".
func (Buildpack) Name() string { return "rust" }

// LooksFor names what Detect looks for.
func (Buildpack) LooksFor() string { return "Cargo.toml of a program" }

// manifest is the part of a Cargo.toml that matters here.
type manifest struct {
	Package struct {
		Name       string `toml:"name"`
		DefaultRun string `toml:"default-run"`
	} `toml:"package"`
	Bin []struct {
		Name string `toml:"name"`
	} `toml:"bin"`
	Workspace *struct {
		Members []string `toml:"members"`
	} `toml:"workspace"`
}

// crate is a package with programs.
type crate struct {
	dir      string // "." or a workspace member's
	programs []string
	main     string // which of them is run by default, "" if there is no telling
}

// Detect reads Cargo.toml, and those of a workspace's members if it is nothing else.
func (Buildpack) Detect(src fs.FS) (buildpack.Plan, bool, error) {
	var m manifest
	found, err := buildpack.ReadTOML(src, "Cargo.toml", &m)
	if !found || err != nil {
		return buildpack.Plan{}, false, err
	}
	crates, err := findCrates(src, &m)
	if err != nil {
		return buildpack.Plan{}, false, err
	}
	plan := buildpack.Plan{
		Why:  "Cargo.toml",
		Path: []string{"bin"},
		Keep: []string{"/bin/"},
		Drop: []string{"*.rs", "/target/", "Cargo.toml", "/Cargo.lock", "/.cargo/"},
		// Cargo goes by file times, and its target directory outlives this copy of the source: without new times a change
		// that came with an old time (a checkout, an archive) would not be built.
		Steps: []buildpack.Step{{
			Name: "touch sources", Needs: "install a POSIX find", Command: []string{"find", ".", "-type", "f", "-exec", "touch", "{}", "+"},
		}},
	}
	locked := buildpack.Exists(src, "Cargo.lock")
	var programs []string
	for _, c := range crates {
		plan.Steps = append(plan.Steps, install(c.dir, locked))
		programs = append(programs, c.programs...)
	}
	switch {
	case len(crates) == 1 && crates[0].main != "":
		plan.Start = "bin/" + crates[0].main
	case len(programs) == 0:
		plan.Missing = aloft.Errorf(aloft.Invalid, "Cargo.toml has no program: there is no src/main.rs").
			WithHint("add src/main.rs, or deploy the directory of the workspace member that is the server")
	default:
		plan.Missing = aloft.Errorf(aloft.Invalid, "Cargo.toml has several programs: %s", strings.Join(programs, ", ")).
			WithHint("set default-run in [package], or add a Procfile: \"web: bin/%s\"", programs[0])
	}
	return plan, true, nil
}

// install builds a package and puts its programs into bin. Cargo's own directory, which holds downloads and the user's
// configuration together, is left where it is.
func install(dir string, locked bool) buildpack.Step {
	step := buildpack.Step{
		Name: "cargo build --release", Build: true, Needs: "install Rust with Cargo (apt-get install cargo, or rustup)",
		Command: []string{"cargo", "install", "--path", dir, "--root", "$APP", "--no-track", "--force"},
		Env:     map[string]string{"CARGO_TARGET_DIR": "$CACHE/target", "CARGO_TERM_COLOR": "never", "CARGO_TERM_PROGRESS_WHEN": "never"},
	}
	if locked {
		step.Command = append(step.Command, "--locked")
	}
	return step
}

// findCrates returns the packages with programs: the root's, or else those of the workspace.
func findCrates(src fs.FS, root *manifest) ([]crate, error) {
	if root.Package.Name != "" {
		c := programsOf(src, ".", root)
		if len(c.programs) > 0 || root.Workspace == nil {
			return onlyWithPrograms(c), nil
		}
	}
	var all []crate
	if root.Workspace == nil {
		return nil, nil
	}
	for _, pattern := range root.Workspace.Members {
		dirs, _ := fs.Glob(src, pattern)
		for _, dir := range dirs {
			var m manifest
			if _, err := buildpack.ReadTOML(src, path.Join(dir, "Cargo.toml"), &m); err != nil {
				return nil, err
			}
			all = append(all, onlyWithPrograms(programsOf(src, dir, &m))...)
		}
	}
	return all, nil
}

func onlyWithPrograms(c crate) []crate {
	if len(c.programs) == 0 {
		return nil
	}
	return []crate{c}
}

// programsOf applies Cargo's rules: [[bin]] sections, src/main.rs, and src/bin.
func programsOf(src fs.FS, dir string, m *manifest) crate {
	c := crate{dir: dir, main: m.Package.DefaultRun}
	for _, bin := range m.Bin {
		c.programs = append(c.programs, bin.Name)
	}
	if buildpack.Exists(src, path.Join(dir, "src/main.rs")) && len(m.Bin) == 0 {
		c.programs = append(c.programs, m.Package.Name)
	}
	single, _ := fs.Glob(src, path.Join(dir, "src/bin/*.rs"))
	nested, _ := fs.Glob(src, path.Join(dir, "src/bin/*/main.rs"))
	for _, name := range single {
		c.programs = append(c.programs, strings.TrimSuffix(path.Base(name), ".rs"))
	}
	for _, name := range nested {
		c.programs = append(c.programs, path.Base(path.Dir(name)))
	}
	c.programs = slices.DeleteFunc(c.programs, func(name string) bool { return !plainName.MatchString(name) })
	slices.Sort(c.programs)
	c.programs = slices.Compact(c.programs)
	if c.main == "" && len(c.programs) == 1 {
		c.main = c.programs[0]
	}
	if !slices.Contains(c.programs, c.main) {
		c.main = ""
	}
	return c
}

// plainName keeps names that would mean something to a shell out of a command line.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]*$`)
