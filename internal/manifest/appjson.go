package manifest

import (
	"maps"
	"slices"
	"strings"
)

func decodeApp(d *document) (layer, error) {
	d.foreign = true
	n, err := parseJSON(d)
	if err != nil || n.kind == nothing {
		return layer{}, err
	}
	f, err := appShape().read(d, n)
	if err != nil {
		return layer{}, err
	}
	return layer{base: f.settings()}, nil
}

// appFile is what an app.json says.
type appFile struct {
	name      string
	env       map[string]appVariable
	formation map[string]FunctionSettings
	scripts   Hooks
}

// appVariable is an entry of "env". A variable without a value is required unless it says that it is not.
type appVariable struct {
	description, value string
	said               bool // has a value
	optional, secret   bool
}

// settings brings the file into our form.
func (f appFile) settings() Settings {
	s := Settings{Name: f.name, Hooks: f.scripts, Functions: f.formation}
	for _, name := range slices.Sorted(maps.Keys(f.env)) {
		v := f.env[name]
		if v.said {
			s.Env = join(map[string]string{name: v.value}, s.Env)
			continue
		}
		s.Required = append(s.Required, EnvVar{name, v.description, !v.optional && !v.secret, v.secret})
	}
	return s
}

// appShape is the table of app.json, the file of Heroku and Dokku.
func appShape() shape[appFile] {
	keys := []key[appFile]{
		bind(KeyDoc{Key: "name"}, title(), func(f *appFile) *string { return &f.name }),
		bind(KeyDoc{Key: "env"}, mapOf("NAME", envNames(), appEnv()), func(f *appFile) *map[string]appVariable { return &f.env }),
		bind(KeyDoc{Key: "formation"}, mapOf("FUNCTION", names("function"), appFormation()),
			func(f *appFile) *map[string]FunctionSettings { return &f.formation }),
		bind(KeyDoc{Key: "scripts"}, appScripts(), func(f *appFile) *Hooks { return &f.scripts }),
	}
	for _, name := range []string{"$schema", "description", "keywords", "website", "repository", "logo", "success_url"} {
		keys = append(keys, remark[appFile](name, "")) // says nothing that could have an effect
	}
	keys = append(keys, unused[appFile]("addons", "buildpacks", "cron", "environments", "healthchecks", "image", "stack")...)
	return objectOf(keys...)
}

func appEnv() shape[appVariable] {
	long := objectOf(
		bind(KeyDoc{Key: "description"}, anyText(), func(v *appVariable) *string { return &v.description }),
		key[appVariable]{doc: KeyDoc{Key: "value"}, read: func(d *document, n node, v *appVariable) error {
			if n.kind == nothing {
				return nil
			}
			value, err := anyText().read(d, n)
			v.value, v.said = value, true
			return err
		}},
		key[appVariable]{doc: KeyDoc{Key: "required"}, read: func(d *document, n node, v *appVariable) error {
			if n.kind != boolean {
				return d.expected(n, "true or false", "")
			}
			v.optional = n.text == "false"
			return nil
		}},
		key[appVariable]{doc: KeyDoc{Key: "generator"}, read: func(d *document, n node, v *appVariable) error {
			v.secret = n.kind == text && n.text == "secret"
			if !v.secret {
				d.warn(n.at, "%s: %s is not known and is ignored", n.path, n)
			}
			return nil
		}},
		remark[appVariable]("sync", ""),
	)
	short := anyText()
	return either(shape[appVariable]{wants: short.wants, read: func(d *document, n node) (appVariable, error) {
		value, err := short.read(d, n)
		return appVariable{value: value, said: true}, err
	}}, long)
}

func appFormation() shape[FunctionSettings] {
	keys := []key[FunctionSettings]{{doc: KeyDoc{Key: "quantity"}, read: readInstances}}
	return objectOf(append(keys, unused[FunctionSettings]("size", "max_parallel", "autoscaling", "service")...)...)
}

// appScripts reads Heroku's postdeploy, which runs once in an app's life, and Dokku's two, which run at each deploy.
func appScripts() shape[Hooks] {
	dokku := group("dokku",
		bind(KeyDoc{Key: "predeploy"}, script(), func(h *Hooks) *[]string { return &h.Predeploy }),
		bind(KeyDoc{Key: "postdeploy"}, script(), func(h *Hooks) *[]string { return &h.Postdeploy }),
	)
	keys := []key[Hooks]{dokku, bind(KeyDoc{Key: "postdeploy"}, script(), func(h *Hooks) *[]string { return &h.Firstdeploy })}
	return objectOf(append(keys, unused[Hooks]("pr-predestroy", "test", "test-setup")...)...)
}

// script is a shell line, or an object with a command. An empty one is none.
func script() shape[[]string] {
	short := anyText()
	return either(
		shape[[]string]{wants: "a shell command line", read: func(d *document, n node) ([]string, error) {
			v, err := short.read(d, n)
			if v = strings.TrimSpace(v); v == "" || err != nil {
				return nil, err
			}
			return []string{v}, nil
		}},
		objectOf(append(
			[]key[[]string]{bind(KeyDoc{Key: "command"}, listOf(line()), func(s *[]string) *[]string { return s })},
			unused[[]string]("size")...,
		)...),
	)
}
