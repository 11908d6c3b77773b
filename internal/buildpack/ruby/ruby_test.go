package ruby_test

import (
	"testing"

	"github.com/aloft-run/aloft/internal/buildpack/buildpacktest"
	"github.com/aloft-run/aloft/internal/buildpack/ruby"
)

type files = map[string]string

func TestContract(t *testing.T) {
	t.Parallel()
	buildpacktest.Run(t, ruby.New(),
		buildpacktest.Source(files{"Gemfile": "gem 'puma'", "Gemfile.lock": "x", "config.ru": "run App"}), buildpacktest.Source(files{"tool.rb": "x"}))
}

func TestStart(t *testing.T) {
	t.Parallel()
	buildpacktest.Table(t, ruby.New(), []buildpacktest.Case{
		{Name: "puma", Files: files{"Gemfile": "gem \"sinatra\"\ngem 'puma', '~> 6'\n", "config.ru": ""}, Start: "bundle exec puma --bind tcp://$HOST:$PORT config.ru"},
		{Name: "puma with configuration", Files: files{"Gemfile": "gem('puma')", "config.ru": "", "config/puma.rb": ""}, Start: "bundle exec puma -C config/puma.rb"},
		{Name: "puma from the lock", Files: files{"Gemfile": "gem 'rails'", "Gemfile.lock": "GEM\n  specs:\n    puma (6.4.0)\n", "config.ru": ""}, Start: "bundle exec puma --bind tcp://$HOST:$PORT config.ru"},
		{Name: "rack", Files: files{"Gemfile": "gem 'rack'\n# gem 'puma'", "config.ru": ""}, Start: "bundle exec rackup --host $HOST --port $PORT config.ru"},
		{Name: "without Gemfile", Files: files{"config.ru": ""}, Start: "rackup --host $HOST --port $PORT config.ru", Steps: []string{}},
		{Name: "rails", Files: files{"Gemfile": "gem 'rails'", "config.ru": "", "config/application.rb": ""}, Start: "bundle exec rails server --binding $HOST --port $PORT"},
		{Name: "classic sinatra", Files: files{"Gemfile": "gem 'sinatra'", "app.rb": "require 'sinatra'\nget('/') { 'x' }"}, Start: "bundle exec ruby app.rb -o $HOST -p $PORT"},
		{Name: "script", Files: files{"Gemfile": "gem 'webrick'", "server.rb": "require 'webrick'"}, Start: "bundle exec ruby server.rb"},
		{Name: "library", Files: files{"Gemfile": "gemspec", "lib/x.rb": ""}, Err: "nothing to start", Hint: "config.ru"},
	})
}

func TestSteps(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"Gemfile": 2, "app/assets/x.css": 3} {
		plan, _, err := ruby.New().Detect(buildpacktest.Source(files{"Gemfile": "gem 'rails'", "config.ru": "", name: "gem 'rails'"}))
		if err != nil || len(plan.Steps) != want || plan.Env["BUNDLE_PATH"] != "$APP/vendor/bundle" || plan.Env["RAILS_ENV"] != "production" {
			t.Errorf("%s: %+v, %v", name, plan, err)
		}
	}
}
