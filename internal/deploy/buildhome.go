package deploy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aloft-run/aloft/internal/engine"
)

// place is where and as what a build runs.
type place struct {
	app   string   // the private copy of the source
	tree  string   // the same as the build sees it
	cache string   // what builds of the app keep for each other
	env   []string // "K=V"
}

// buildPlace prepares an app's build in the directory app. On an engine that keeps builds apart, HOME is a directory of this
// app's builds alone, so that no build finds what another left, or the user's own things; how the user's package
// managers reach their registries is copied there for the time of the build. The rest of the engines use the user's HOME.
func (d *Deployer) buildPlace(app, cache string) (place, func(), error) {
	layout := d.Engine.Layout(app, filepath.Dir(app))
	p := place{app: app, tree: layout.Tree, cache: cache, env: slices.Clone(d.BuildEnv)}
	if d.Engine.Level() < engine.Isolated {
		return p, func() {}, nil
	}
	was, home := variable(p.env, "HOME"), filepath.Join(cache, "home")
	p.env = slices.DeleteFunc(p.env, func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains([]string{"HOME", "TMPDIR", "XDG_CONFIG_HOME", "CARGO_HOME", "GRADLE_USER_HOME"}, name)
	})
	p.env = append(p.env, "HOME="+home, "TMPDIR="+layout.Temp)
	if rustup := filepath.Join(was, ".rustup"); variable(p.env, "RUSTUP_HOME") == "" && exists(rustup) {
		p.env = append(p.env, "RUSTUP_HOME="+rustup)
	}
	done := func() { removeSettings(home) }
	if err := copySettings(was, home); err != nil {
		done()
		return p, nil, err
	}
	return p, done, nil
}

// registrySettings are the files below a home directory that say how to reach registries and with what credentials.
func registrySettings() []string {
	return []string{
		".npmrc", ".yarnrc", ".yarnrc.yml", ".netrc", ".gitconfig", ".pip/pip.conf", ".config/pip/pip.conf", ".config/uv/uv.toml",
		".config/pypoetry/auth.toml", ".config/pypoetry/config.toml", ".m2/settings.xml", ".gradle/gradle.properties",
		".gradle/init.gradle", ".cargo/config.toml", ".cargo/config", ".cargo/credentials.toml", ".config/go/env", ".bundle/config",
	}
}

func copySettings(from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return fmt.Errorf("make the home of builds: %w", err)
	}
	root, err := os.OpenRoot(to) // an earlier build may have left links here
	if err != nil {
		return fmt.Errorf("open the home of builds: %w", err)
	}
	defer root.Close()
	for _, name := range registrySettings() {
		content, err := os.ReadFile(filepath.Join(from, name))
		if from == "" || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = errors.Join(root.MkdirAll(filepath.Dir(name), 0o700), root.RemoveAll(name), root.WriteFile(name, content, 0o600))
		}
		if err != nil {
			return fmt.Errorf("copy ~/%s for the build: %w", name, err)
		}
	}
	return nil
}

// removeSettings leaves no credentials where builds could find those of another time.
func removeSettings(home string) {
	root, err := os.OpenRoot(home)
	if err != nil {
		return
	}
	defer root.Close()
	for _, name := range registrySettings() {
		_ = root.RemoveAll(name)
	}
}

func variable(env []string, name string) string {
	for _, kv := range env {
		if value, ok := strings.CutPrefix(kv, name+"="); ok {
			return value
		}
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
