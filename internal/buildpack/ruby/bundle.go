package ruby

import "github.com/aloft-run/aloft/internal/buildpack"

const without = "development:test"

// install installs the gems into the tree. If that is not possible, because the gem server cannot be reached, the machine's
// own gems do if they fulfil the Gemfile: an app then runs where it was built, and the output says so.
const install = `bundle install && exit 0
status=$?
unset BUNDLE_PATH BUNDLE_DEPLOYMENT BUNDLE_FROZEN
export BUNDLE_PATH__SYSTEM=true
bundle install --local --quiet || exit $status
mkdir -p .bundle && printf -- '---\nBUNDLE_PATH__SYSTEM: "true"\n' > .bundle/config
echo "The gems could not be fetched. Those installed on this machine are used: the app needs them wherever it runs."`

// bundle has a step before the installation for the sake of its hint: a runner knows what to say of a missing program only
// if it starts that program itself.
func bundle(locked bool) []buildpack.Step {
	version := buildpack.Step{Name: "bundle --version", Needs: needsBundler, Command: []string{"bundle", "--version"}}
	step := buildpack.Step{
		Name: "bundle install", Needs: needsBundler, Command: []string{"sh", "-c", install},
		Env: map[string]string{
			"BUNDLE_PATH": "vendor/bundle", "BUNDLE_WITHOUT": without, "BUNDLE_USER_CACHE": "$CACHE/bundler", "BUNDLE_JOBS": "4",
			"BUNDLE_RETRY": "2", "BUNDLE_SILENCE_ROOT_WARNING": "true",
		},
	}
	if locked {
		step.Env["BUNDLE_FROZEN"] = "true"
	}
	return []buildpack.Step{version, step}
}

// assets compiles them as Rails does for production. The secret is not needed for that, and not there.
func assets() buildpack.Step {
	return buildpack.Step{
		Name: "rails assets:precompile", Build: true, Needs: needsBundler, Command: []string{"bundle", "exec", "rails", "assets:precompile"},
		Env: map[string]string{
			"BUNDLE_PATH": "vendor/bundle", "BUNDLE_WITHOUT": without, "RAILS_ENV": "production", "SECRET_KEY_BASE_DUMMY": "1",
		},
	}
}
