package manifest

import (
	"strings"

	"github.com/aloft-run/aloft"
)

// concurrency is the long form of a function's concurrency.
type concurrency struct{ soft, hard int }

func concurrencyShape() shape[concurrency] {
	return objectOf(
		bind(KeyDoc{Key: "soft", Default: "as hard", Meaning: "Requests at once per instance beyond which another instance is started."},
			count(1), func(c *concurrency) *int { return &c.soft }),
		bind(KeyDoc{Key: "hard", Default: "no limit", Meaning: "Requests at once per instance; more wait."},
			count(1), func(c *concurrency) *int { return &c.hard }),
	)
}

func readConcurrency(d *document, n node, f *FunctionSettings) error {
	var c concurrency
	var err error
	if n.kind == object {
		c, err = concurrencyShape().read(d, n)
	} else {
		c.hard, err = count(1).read(d, n)
	}
	f.Target, f.Concurrency = c.soft, c.hard
	return err
}

func readIdle(d *document, n node, f *FunctionSettings) (err error) {
	if n.text == "off" || n.text == "false" {
		f.NeverIdle = true
		return nil
	}
	if f.Idle, err = duration().read(d, n); err != nil {
		return d.expected(n, duration().wants+" or off", duration().like)
	}
	return nil
}

func readInstances(d *document, n node, f *FunctionSettings) error {
	v, err := count(0).read(d, n)
	f.Instances, f.Off = v, err == nil && v == 0
	return err
}

func hooksShape() shape[Hooks] {
	hook := func(name, meaning string, at func(*Hooks) *[]string) key[Hooks] {
		return bind(KeyDoc{Key: name, Meaning: meaning}, listOf(line()), at)
	}
	return objectOf(
		hook("prebuild", "Before the build.", func(h *Hooks) *[]string { return &h.Prebuild }),
		hook("build", "Instead of the detected build.", func(h *Hooks) *[]string { return &h.Build }),
		hook("postbuild", "After the build.", func(h *Hooks) *[]string { return &h.Postbuild }),
		hook("predeploy", "With the new release's code and config, before it gets traffic; a failure stops the deploy.",
			func(h *Hooks) *[]string { return &h.Predeploy }),
		hook("postdeploy", "After the new release has the traffic.", func(h *Hooks) *[]string { return &h.Postdeploy }),
		hook("clean", "At the end of a build, whether it succeeded or not.", func(h *Hooks) *[]string { return &h.Clean }),
	)
}

func healthShape() shape[Health] {
	short := urlPath()
	return either(
		shape[Health]{wants: short.wants, like: short.like, schema: short.schema, read: func(d *document, n node) (Health, error) {
			path, err := short.read(d, n)
			return Health{Path: path}, err
		}},
		objectOf(
			bind(KeyDoc{Key: "path", Meaning: "GET of this path must answer 2xx or 3xx."},
				urlPath(), func(h *Health) *string { return &h.Path }),
			bind(KeyDoc{Key: "timeout", Default: brief(Default().Health.Timeout), Meaning: "How long an instance may take to become ready."},
				duration(), func(h *Health) *aloft.Duration { return &h.Timeout }),
		),
	)
}

func staticShape() shape[*Static] {
	long := objectOf(
		bind(KeyDoc{Key: "dir", Default: ".", Meaning: "The directory."},
			directory(), func(s *Static) *string { return &s.Dir }),
		bind(KeyDoc{Key: "prefix", Default: "/", Meaning: "The URL path below which the files are served."},
			urlPath(), func(s *Static) *string { return &s.Prefix }),
	)
	short := directory()
	pair := either(
		shape[Static]{wants: short.wants, like: short.like, schema: short.schema, read: func(d *document, n node) (Static, error) {
			dir, err := short.read(d, n)
			return Static{Dir: dir}, err
		}}, long,
	)
	return shape[*Static]{pair.wants, pair.like, pair.schema, pair.keys, func(d *document, n node) (*Static, error) {
		s, err := pair.read(d, n)
		s = s.complete()
		s.Only = s.Prefix == "/"
		return &s, err
	}}
}

// complete fills in what a static section leaves out.
func (s Static) complete() Static {
	if s.Dir == "" {
		s.Dir = "."
	}
	s.Prefix = "/" + strings.Trim(s.Prefix, "/")
	return s
}
