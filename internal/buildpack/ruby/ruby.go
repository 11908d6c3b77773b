// Package ruby is the buildpack of Ruby apps: Rails, Rack, Sinatra. Bundler installs the gems into vendor/bundle.
package ruby

import (
	"io/fs"
	"regexp"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
)

const needsBundler = "install Ruby with Bundler (apt-get install ruby-full ruby-bundler)"

// Buildpack is the buildpack.
type Buildpack struct{}

var _ buildpack.Buildpack = Buildpack{}

// New returns the buildpack.
func New() buildpack.Buildpack { return Buildpack{} }

// Name is "ruby".
func (Buildpack) Name() string { return "ruby" }

// LooksFor names what Detect looks for.
func (Buildpack) LooksFor() string { return "Gemfile or config.ru" }

// Detect reads the Gemfile, and the lock file for what the gems bring.
func (Buildpack) Detect(src fs.FS) (buildpack.Plan, bool, error) {
	gemfile, hasGemfile, err := buildpack.Read(src, "Gemfile")
	if err != nil {
		return buildpack.Plan{}, false, err
	}
	rack := buildpack.Exists(src, "config.ru")
	if !hasGemfile && !rack {
		return buildpack.Plan{}, false, nil
	}
	lock, locked, err := buildpack.Read(src, "Gemfile.lock")
	if err != nil {
		return buildpack.Plan{}, false, err
	}
	gems := gemNames(string(gemfile), string(lock))
	plan := buildpack.Plan{
		Why: "config.ru",
		Env: map[string]string{
			"RACK_ENV": "production", "RAILS_ENV": "production", "RAILS_LOG_TO_STDOUT": "1", "RAILS_SERVE_STATIC_FILES": "1",
		},
		Keep: []string{"/vendor/bundle/", "/.bundle/config", "/public/assets/"},
		Drop: []string{"/vendor/bundle/ruby/*/cache/", "gem_make.out", "mkmf.log", "/tmp/", "/log/"},
	}
	if hasGemfile {
		plan.Why = "Gemfile"
		plan.Env["BUNDLE_PATH"], plan.Env["BUNDLE_WITHOUT"] = "$APP/vendor/bundle", without
		plan.Steps = bundle(locked)
	}
	rails := gems["rails"] || gems["railties"]
	if rails && buildpack.IsDir(src, "app/assets") {
		plan.Steps = append(plan.Steps, assets())
	}
	plan.Start, plan.Missing = start(src, gems, hasGemfile)
	return plan, true, nil
}

var gemLine = regexp.MustCompile(`(?m)^\s*gem[ (]+['"]([\w.-]+)['"]`)

var lockLine = regexp.MustCompile(`(?m)^    ([\w.-]+) \(`)

// gemNames are the gems that the Gemfile declares, and those the lock file adds to them.
func gemNames(gemfile, lock string) map[string]bool {
	names := map[string]bool{}
	for _, match := range gemLine.FindAllStringSubmatch(gemfile, -1) {
		names[match[1]] = true
	}
	for _, match := range lockLine.FindAllStringSubmatch(lock, -1) {
		names[match[1]] = true
	}
	return names
}

// start returns the command of the declared server, or of the framework's own.
func start(src fs.FS, gems map[string]bool, bundled bool) (string, error) {
	exec := ""
	if bundled {
		exec = "bundle exec "
	}
	rack := buildpack.Exists(src, "config.ru")
	switch {
	case gems["puma"] && buildpack.Exists(src, "config/puma.rb") && rack:
		return exec + "puma -C config/puma.rb", nil // as Rails makes it: it reads PORT itself
	case gems["puma"] && rack:
		return exec + "puma --bind tcp://$HOST:$PORT config.ru", nil
	case (gems["rails"] || gems["railties"]) && buildpack.Exists(src, "config/application.rb"):
		return exec + "rails server --binding $HOST --port $PORT", nil
	case rack:
		return exec + "rackup --host $HOST --port $PORT config.ru", nil
	}
	for _, name := range []string{"app.rb", "main.rb", "server.rb"} {
		data, ok, err := buildpack.Read(src, name)
		if !ok || err != nil {
			continue
		}
		if sinatraClassic.Match(data) {
			return exec + "ruby " + name + " -o $HOST -p $PORT", nil
		}
		return exec + "ruby " + name, nil
	}
	return "", aloft.Errorf(aloft.Invalid, "there is nothing to start: no config.ru, config/application.rb or app.rb").
		WithHint("add a config.ru, or a Procfile with a line such as \"web: bundle exec ruby FILE.rb\"")
}

var sinatraClassic = regexp.MustCompile(`(?m)^\s*require ['"]sinatra['"]`)
